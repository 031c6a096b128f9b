using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeDm.Hub.Internal;

/// <summary>A module's environment, as edgeAgent or iotedgehubdev sets it.</summary>
internal static class EdgeEnvironment
{
    /// <summary>Most bytes of the certificate file; a bundle has a few certificates.</summary>
    public const int MaxCertificateFileBytes = 1024 * 1024;

    private const string SasScheme = "sasToken";

    public static async ValueTask<HubSessionOptions> ReadAsync(
        Func<string, string?> environment,
        CancellationToken cancellationToken
    )
    {
        var port = PortOf("EDGEDM_HUB_PORT", environment);
        var httpsPort = PortOf("EDGEDM_HUB_HTTPS_PORT", environment);
        var options = FindConnectionString(environment) is { } found
            ? await FromConnectionStringAsync(found.Variable, found.Value, environment, cancellationToken)
            : await FromWorkloadAsync(environment, cancellationToken);
        options = port is { } mqtt ? options with { Port = mqtt } : options;
        return httpsPort is { } https ? options with { HttpsPort = https } : options;
    }

    public static string ModuleIdOf(Func<string, string?> environment) =>
        FindConnectionString(environment) is { } found
            ? ParseConnectionString(found.Variable, found.Value).ModuleId
                ?? throw new EdgeEnvironmentException(found.Variable, "has no ModuleId.")
            : Required(environment, "IOTEDGE_MODULEID");

    private static HubSessionOptions ParseConnectionString(string variable, string value)
    {
        try
        {
            return HubSessionOptions.FromConnectionString(value);
        }
        catch (FormatException error)
        {
            throw new EdgeEnvironmentException(variable, error.Message, error);
        }
    }

    private static (string Variable, string Value)? FindConnectionString(Func<string, string?> environment)
    {
        foreach (var name in (string[])["EdgeHubConnectionString", "IotHubConnectionString"])
        {
            if (environment(name) is { Length: > 0 } value)
            {
                return (name, value);
            }
        }
        return null;
    }

    private static async ValueTask<HubSessionOptions> FromConnectionStringAsync(
        string variable,
        string value,
        Func<string, string?> environment,
        CancellationToken cancellationToken
    )
    {
        const string CertificateFile = "EdgeModuleCACertificateFile";
        var options = ParseConnectionString(variable, value);
        if (environment(CertificateFile) is not { Length: > 0 } file)
        {
            return options;
        }
        try
        {
            var length = new FileInfo(file).Length;
            return length <= MaxCertificateFileBytes
                ? options with
                {
                    TrustedRoots = ParseRoots(await File.ReadAllTextAsync(file, cancellationToken)),
                }
                : throw new IOException($"It has {length} bytes; the limit is {MaxCertificateFileBytes}.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new EdgeEnvironmentException(CertificateFile, $"'{file}' cannot be used: {error.Message}", error);
        }
    }

    private static async ValueTask<HubSessionOptions> FromWorkloadAsync(
        Func<string, string?> environment,
        CancellationToken cancellationToken
    )
    {
        var scheme = Required(environment, "IOTEDGE_AUTHSCHEME");
        if (!scheme.Equals(SasScheme, StringComparison.OrdinalIgnoreCase))
        {
            throw new EdgeEnvironmentException("IOTEDGE_AUTHSCHEME", $"is '{scheme}'; only '{SasScheme}' is known.");
        }
        var module = RequiredId(environment, "IOTEDGE_MODULEID");
        var client = new WorkloadClient(
            Required(environment, "IOTEDGE_WORKLOADURI"),
            environment("IOTEDGE_APIVERSION"),
            module,
            Required(environment, "IOTEDGE_MODULEGENERATIONID")
        );
        const string Gateway = "IOTEDGE_GATEWAYHOSTNAME";
        var gateway = environment(Gateway) is { Length: > 0 } ? RequiredHost(environment, Gateway) : null;
        var options = new HubSessionOptions
        {
            HubHostName = RequiredHost(environment, "IOTEDGE_IOTHUBHOSTNAME"),
            GatewayHostName = gateway,
            DeviceId = RequiredId(environment, "IOTEDGE_DEVICEID"),
            ModuleId = module,
            Credential = HubCredential.FromSigner(client),
        };
        if (gateway is null)
        {
            return options; // Straight to IoT Hub, whose certificate the system's roots vouch for.
        }
        var bundle = await client.GetTrustBundleAsync(cancellationToken);
        try
        {
            return options with { TrustedRoots = ParseRoots(bundle) };
        }
        catch (CryptographicException error)
        {
            throw new WorkloadException("The workload API's trust bundle is no PEM with certificates.", error);
        }
    }

    private static X509Certificate2Collection ParseRoots(string pem)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPem(pem);
        return roots.Count > 0 ? roots : throw new CryptographicException("There is no certificate in it.");
    }

    /// <summary>Null = the usual one.</summary>
    private static int? PortOf(string variable, Func<string, string?> environment) =>
        environment(variable) switch
        {
            null or "" => null,
            var text
                when ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0 =>
                port,
            var text => throw new EdgeEnvironmentException(variable, $"'{text}' is no port from 1 to 65535."),
        };

    private static string RequiredId(Func<string, string?> environment, string variable) =>
        Checked(environment, variable, id => OptionsCheck.CheckId("its value", id));

    private static string RequiredHost(Func<string, string?> environment, string variable) =>
        Checked(environment, variable, host => OptionsCheck.CheckHost("its value", host));

    private static string Checked(Func<string, string?> environment, string variable, Action<string> check)
    {
        var value = Required(environment, variable);
        try
        {
            check(value);
            return value;
        }
        catch (ArgumentException error)
        {
            throw new EdgeEnvironmentException(variable, error.Message, error);
        }
    }

    private static string Required(Func<string, string?> environment, string variable) =>
        environment(variable) is { Length: > 0 } value
            ? value
            : throw new EdgeEnvironmentException(
                variable,
                "is missing. The IoT Edge runtime sets it; outside of it set EdgeHubConnectionString."
            );
}
