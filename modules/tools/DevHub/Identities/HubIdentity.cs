namespace EdgeDm.DevHub.Identities;

/// <summary>Who a client is: a device, or a module of it.</summary>
/// <param name="DeviceId">The device.</param>
/// <param name="ModuleId">The module; null = the device itself.</param>
public readonly record struct HubIdentity(string DeviceId, string? ModuleId = null)
{
    private const int LongestId = 128;
    private const string OtherIdCharacters = "-:.+%_#*?!(),=@;$'";

    /// <summary>MQTT client id and name in messages: <c>device</c> or <c>device/module</c>.</summary>
    public override string ToString() => ModuleId is null ? DeviceId : $"{DeviceId}/{ModuleId}";

    /// <summary>Beginning of this client's topics.</summary>
    public string TopicRoot => ModuleId is null ? $"devices/{DeviceId}" : $"devices/{DeviceId}/modules/{ModuleId}";

    /// <summary>True for 1 to 128 ASCII letters, digits and <c>- : . + % _ # * ? ! ( ) , = @ ; $ '</c>.</summary>
    public static bool IsValidId(string id) =>
        id.Length is > 0 and <= LongestId
        && id.All(c => char.IsAsciiLetterOrDigit(c) || OtherIdCharacters.Contains(c, StringComparison.Ordinal));
}
