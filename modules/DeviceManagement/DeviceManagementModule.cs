using EdgeDm.Contracts;
using EdgeDm.DeviceManagement.Downloads;
using EdgeDm.DeviceManagement.Groups.Device;
using EdgeDm.DeviceManagement.Groups.FirmwareUpdate;
using EdgeDm.DeviceManagement.Groups.TrustedRoots;
using EdgeDm.DeviceManagement.Health;
using EdgeDm.DeviceManagement.Host;
using EdgeDm.DeviceManagement.Jobs;
using EdgeDm.DeviceManagement.Jobs.FirmwareUpdate;
using EdgeDm.DeviceManagement.Jobs.RebootDevice;
using EdgeDm.DeviceManagement.Methods;
using EdgeDm.DeviceManagement.Twin;
using EdgeDm.Hosting;
using EdgeDm.ModuleHost;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DeviceManagement;

/// <summary>The module, put together: twin groups and methods on one side, the job engine in the middle, HostAccess and FirmwareDownload on the other.</summary>
internal sealed class DeviceManagementModule : IDisposable
{
    private readonly HostAccessClient host;
    private readonly DownloadDesk downloads;
    private readonly HealthWitness witness;
    private readonly InstalledUpdate installed;
    private readonly DeviceReport device;
    private readonly TrustedRootsGroup roots;
    private readonly JobEngine engine;
    private readonly GroupHost groups;
    private readonly JobEvents events;

    /// <summary>Loads the module's records and registers its handlers with the hub; <see cref="RunAsync(CancellationToken)"/> works.</summary>
    public DeviceManagementModule(
        DeviceManagementOptions options,
        IModuleHub hub,
        TimeProvider time,
        ILoggerFactory loggers
    )
    {
        Directory.CreateDirectory(options.DataFolder);
        host = new(options.HostEndpoint, time);
        installed = new(host);
        device = new(hub);
        downloads = new(hub, time, options.DownloadRepeatPeriod);
        roots = new(host);
        witness = new(hub, time, Guid.NewGuid().ToString("N"));
        var limits = new JobLimits();
        engine = new(
            new JobStore(Path.Combine(options.DataFolder, "jobs"), loggers.CreateLogger<JobStore>()),
            [
                new FirmwareUpdateWork(host, downloads, witness, installed, roots, options.UpdateFetchTimeout, time),
                new RebootDeviceWork(host, time),
            ],
            limits,
            time,
            loggers.CreateLogger<JobEngine>()
        );
        var firmware = new FirmwareUpdateGroup(engine, installed);
        groups = new(
            options.DataFolder,
            [roots, firmware],
            hub,
            options.ProgressPeriod,
            limits.DiskRetryDelay,
            time,
            loggers.CreateLogger<GroupHost>()
        );
        new JobMethods(engine, limits).Register(hub);
        new CommandInput(hub, engine, options.CommandSenders).Register();
        events = new(hub, engine, limits.DiskRetryDelay, time, loggers.CreateLogger<JobEvents>());
        events.Follow();
        hub.OnInput(Routes.Downloads, ReceiveAsync);
        hub.OnInput(Routes.Notifications, ReceiveAsync);
        hub.OnDesired(groups.ApplyAsync);
        new DeviceSchemas(hub, host, [roots, firmware]).Follow();
    }

    /// <summary>Works until cancelled, with or without the hub.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await groups.ResumeAsync(cancellationToken);
        await FirstToEnd.RunAsync(cancellationToken, engine.RunAsync, roots.RunAsync, KeepInstalledFreshAsync);
    }

    public void Dispose()
    {
        events.Dispose();
        groups.Dispose();
        roots.Dispose();
        downloads.Dispose();
        host.Dispose();
    }

    /// <summary>Read once at the start; a firmware update reads it again at its end.</summary>
    private async Task KeepInstalledFreshAsync(CancellationToken cancellationToken)
    {
        await installed.RefreshAsync(cancellationToken);
        await Task.Delay(Timeout.Infinite, cancellationToken);
    }

    private ValueTask ReceiveAsync(InputMessage message, CancellationToken cancellationToken)
    {
        switch (message.Schema)
        {
            case Schemas.Pong:
                witness.Receive(message);
                break;
            case Schemas.Notification:
                device.Receive(message);
                break;
            default:
                downloads.Receive(message);
                break;
        }
        return ValueTask.CompletedTask;
    }
}
