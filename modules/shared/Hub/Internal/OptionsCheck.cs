using System.Buffers;

namespace EdgeDm.Hub.Internal;

/// <summary>Whether options can be used, before anything is connected.</summary>
internal static class OptionsCheck
{
    /// <summary>The characters of ids (IoT Hub, identity registry). A slash would be another topic.</summary>
    private static readonly SearchValues<char> IdCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-:.+%_#*?!(),=@;$'"
    );

    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    public static void Check(HubSessionOptions options)
    {
        CheckHost(nameof(options.HubHostName), options.HubHostName);
        if (options.GatewayHostName is { } gateway)
        {
            CheckHost(nameof(options.GatewayHostName), gateway);
        }
        CheckId(nameof(options.DeviceId), options.DeviceId);
        if (options.ModuleId is { } module)
        {
            CheckId(nameof(options.ModuleId), module);
        }
        if (options is { Proxy: not null, ConnectCallback: not null })
        {
            throw new ArgumentException(
                $"{nameof(options.Proxy)} and {nameof(options.ConnectCallback)} both make connections; set one."
            );
        }
        CheckTrust(options);
        CheckTimes(options);
        CheckRange(nameof(options.Port), options.Port, 1, ushort.MaxValue);
        CheckRange(nameof(options.HttpsPort), options.HttpsPort, 1, ushort.MaxValue);
        CheckRange(nameof(options.MaxInFlight), options.MaxInFlight, 1, 10_000);
        CheckRange(nameof(options.MaxMessageBytes), options.MaxMessageBytes, 256, 256 * 1024 * 1024);
        CheckRange(nameof(options.MaxUnreadInputs), options.MaxUnreadInputs, 1, 10_000);
        CheckRange(nameof(options.MaxUnreadMethods), options.MaxUnreadMethods, 1, 10_000);
        CheckRange(nameof(options.MaxUnreadPatches), options.MaxUnreadPatches, 1, 10_000);
        var product = options.ProductInfo?.Length ?? 0;
        CheckRange(nameof(options.ProductInfo), product, 0, HubSessionOptions.MaxProductInfoLength);
        var model = options.ModelId?.Length ?? 1;
        CheckRange(nameof(options.ModelId), model, 1, HubSessionOptions.MaxModelIdLength);
    }

    /// <summary>An id that can stand in a topic and in a path.</summary>
    public static void CheckId(string name, string id)
    {
        ArgumentException.ThrowIfNullOrEmpty(id, name);
        CheckRange(name, id.Length, 1, HubSessionOptions.MaxIdLength);
        if (id.AsSpan().ContainsAnyExcept(IdCharacters) || id is "." or "..")
        {
            throw new ArgumentException(
                $"{name} '{id}' is no id: letters, digits and - : . + % _ # * ? ! ( ) , = @ ; $ ' are allowed."
            );
        }
    }

    /// <summary>A name or an address that can stand in a URI and in the user name.</summary>
    public static void CheckHost(string name, string host)
    {
        ArgumentException.ThrowIfNullOrEmpty(host, name);
        if (Uri.CheckHostName(host) == UriHostNameType.Unknown)
        {
            throw new ArgumentException($"{name} '{host}' is neither a host's name nor an address.");
        }
    }

    private static void CheckTrust(HubSessionOptions options)
    {
        var tls = options.Tls;
        if (options.Credential is null && !HubTls.HasClientCertificate(tls))
        {
            throw new ArgumentException(
                $"There is no credential: set {nameof(options.Credential)}, or {nameof(options.Tls)} with a client certificate."
            );
        }
        if (options.Credential?.ClientCertificate is not null && HubTls.HasClientCertificate(tls))
        {
            throw new ArgumentException(
                $"{nameof(options.Credential)} and {nameof(options.Tls)} both have a client certificate; one can be shown."
            );
        }
        if (options.TrustedRoots is not null && HubTls.HasTrust(tls))
        {
            throw new ArgumentException(
                $"{nameof(options.TrustedRoots)} and {nameof(options.Tls)} both say whom to trust; only one of them may."
            );
        }
    }

    private static void CheckTimes(HubSessionOptions options)
    {
        CheckRange(nameof(options.KeepAlive), options.KeepAlive.TotalSeconds, 1, 600);
        CheckRange(nameof(options.ConnectTimeout), options.ConnectTimeout.TotalSeconds, 0.001, Longest.TotalSeconds);
        CheckRange(nameof(options.CloseTimeout), options.CloseTimeout.TotalSeconds, 0, Longest.TotalSeconds);
        if (options.OperationTimeout != Timeout.InfiniteTimeSpan)
        {
            var limit = options.OperationTimeout.TotalSeconds;
            CheckRange(nameof(options.OperationTimeout), limit, 0.001, Longest.TotalSeconds);
        }
    }

    private static void CheckRange(string name, double value, double least, double most)
    {
        if (value < least || value > most)
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be from {least} to {most}.");
        }
    }
}
