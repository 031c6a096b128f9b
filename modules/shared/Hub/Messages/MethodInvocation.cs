namespace EdgeDm.Hub;

/// <summary>Whose method is called: a module's or a device's, of this gateway.</summary>
/// <param name="DeviceId">The device.</param>
/// <param name="ModuleId">The module; null = the device itself.</param>
public sealed record MethodTarget(string DeviceId, string? ModuleId = null);

/// <summary>What a called method gets, and how long the call may take.</summary>
/// <param name="Utf8Json">Its payload as JSON, at most <see cref="IoTHubSession.MaxMethodPayloadBytes"/>; empty = null.</param>
public sealed record MethodInvocation(ReadOnlyMemory<byte> Utf8Json = default)
{
    /// <summary>IoT Hub's shortest <see cref="ResponseTimeout"/>.</summary>
    public static readonly TimeSpan ShortestResponseTimeout = TimeSpan.FromSeconds(5);

    /// <summary>IoT Hub's longest <see cref="ResponseTimeout"/> and <see cref="ConnectTimeout"/>.</summary>
    public static readonly TimeSpan LongestTimeout = TimeSpan.FromSeconds(300);

    /// <summary>How long the hub waits for the answer; 5 s to 300 s, whole seconds.</summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the hub waits for a target that is not connected; 0 s to 300 s, whole seconds.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.Zero;
}
