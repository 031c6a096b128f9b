using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>The options of every command that talks to a hub, and the client that they lead to.</summary>
internal sealed class HubOptions
{
    /// <summary>The module that most commands are about.</summary>
    public const string DeviceManagement = "DeviceManagement";

    private const string DefaultDevice = "gateway";

    private readonly Option<string?> connectionStringFile = new("--connection-string-file")
    {
        Description =
            $"File with the service connection string. [env: {CliEnvironment.ConnectionStringFile}; or the text itself in {CliEnvironment.ConnectionString}]",
        HelpName = "file",
    };

    private readonly Option<string?> caFile = new("--ca-file")
    {
        Description = $"PEM file of the only CAs to trust, for a dev hub. [env: {CliEnvironment.CaFile}]",
        HelpName = "file",
    };

    private readonly Option<string?> device = new("--device")
    {
        Description = $"The gateway's device id. [env: {CliEnvironment.Device}; default: {DefaultDevice}]",
        HelpName = "id",
    };

    private readonly Option<string?>? module;

    private HubOptions(bool hasModule) =>
        module = hasModule
            ? new("--module")
            {
                Description = $"The module's id; '-' = the device itself. [default: {DeviceManagement}]",
                HelpName = "id",
            }
            : null;

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">Whose.</param>
    /// <param name="hasModule">With <c>--module</c>.</param>
    public static HubOptions AddTo(Command command, bool hasModule = false)
    {
        var options = new HubOptions(hasModule);
        if (options.module is { } moduleOption)
        {
            command.Options.Add(moduleOption);
        }
        command.Options.Add(options.device);
        command.Options.Add(options.connectionStringFile);
        command.Options.Add(options.caFile);
        return options;
    }

    /// <summary>The target of a command line. Disposing it closes the connection.</summary>
    public HubTarget Open(ParseResult result, CliContext context)
    {
        var connection = ServiceConnectionString.Find(result.GetValue(connectionStringFile), context.Environment);
        var ca = (result.GetValue(caFile) ?? context.Environment.Find(CliEnvironment.CaFile)) is { } file
            ? LoadCa(file)
            : null;
        var moduleId = module is null ? DeviceManagement : result.GetValue(module) ?? DeviceManagement;
        return new(
            ServiceClient.Create(connection, ca, context.Time),
            result.GetValue(device) ?? context.Environment.Find(CliEnvironment.Device) ?? DefaultDevice,
            moduleId == "-" ? null : moduleId
        );
    }

    private static X509Certificate2Collection LoadCa(string file)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPemFile(file);
        }
        catch (Exception error)
            when (error is CryptographicException or FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CliException(ExitCodes.Usage, $"The CA file '{file}' cannot be read as PEM.", inner: error);
        }
        return certificates.Count > 0
            ? certificates
            : throw new CliException(ExitCodes.Usage, $"The CA file '{file}' holds no certificate.");
    }
}

/// <summary>Whom a command is about.</summary>
/// <param name="Client">The hub.</param>
/// <param name="Device">The gateway's device id.</param>
/// <param name="Module">A module's id; null = the device itself.</param>
internal sealed record HubTarget(ServiceClient Client, string Device, string? Module) : IDisposable
{
    public Task<JsonObject> GetTwinAsync(CancellationToken cancellationToken) =>
        Client.GetTwinAsync(Device, Module, cancellationToken);

    /// <summary>Fails unless the hub is a dev hub.</summary>
    /// <param name="why">What another hub cannot do, as the end of a sentence.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CliException">It is none.</exception>
    public async Task RequireDevHubAsync(string why, CancellationToken cancellationToken)
    {
        if (await Client.FindDevHubAsync(cancellationToken) is null)
        {
            throw new CliException(ExitCodes.Failed, $"This hub is no dev hub, and {why}");
        }
    }

    public void Dispose() => Client.Dispose();
}
