using System.Collections.Immutable;
using EdgeDm.Hosting;

namespace EdgeDm.DeviceManagement;

/// <summary>The module's settings, from its environment.</summary>
internal sealed record DeviceManagementOptions
{
    /// <summary><c>EDGEDM_DATA</c>: the module's own folder.</summary>
    public required string DataFolder { get; init; }

    /// <summary><c>EDGEDM_HOST_ENDPOINT</c>: HostAccess's verbs socket.</summary>
    public required string HostEndpoint { get; init; }

    /// <summary><c>EDGEDM_COMMAND_SENDERS</c>: module ids that may send job requests, parted by commas; none by default.</summary>
    public required ImmutableHashSet<string> CommandSenders { get; init; }

    /// <summary><c>EDGEDM_PROGRESS_SECONDS</c>: progress goes to the twin this often at most; 5, from 1 to 3,600. Each report is a message of the hub's quota.</summary>
    public required TimeSpan ProgressPeriod { get; init; }

    /// <summary>
    /// <c>EDGEDM_UPDATE_FETCH_SECONDS</c>: check and download of an update must be done in this time unless its job says otherwise; a
    /// day, from 60 s to 30 days.
    /// </summary>
    public TimeSpan UpdateFetchTimeout { get; init; } = TimeSpan.FromDays(1);

    /// <summary>
    /// <c>EDGEDM_DOWNLOAD_REPEAT_SECONDS</c>: FirmwareDownload is asked again for files this often while it does not answer; 60, from 1 to 3,600.
    /// </summary>
    public TimeSpan DownloadRepeatPeriod { get; init; } = TimeSpan.FromMinutes(1);

    public static DeviceManagementOptions From(EnvironmentOptions environment) =>
        new()
        {
            DataFolder = environment.Text("EDGEDM_DATA", "/var/lib/edgedm"),
            HostEndpoint = environment.Text("EDGEDM_HOST_ENDPOINT", "unix:/run/edgedm/verbs/host-access.sock"),
            CommandSenders =
            [
                .. environment
                    .Text("EDGEDM_COMMAND_SENDERS", "")
                    .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            ],
            ProgressPeriod = environment.Seconds("EDGEDM_PROGRESS_SECONDS", 5, 1, 3600),
            UpdateFetchTimeout = environment.Seconds("EDGEDM_UPDATE_FETCH_SECONDS", 86_400, 60, 2_592_000),
            DownloadRepeatPeriod = environment.Seconds("EDGEDM_DOWNLOAD_REPEAT_SECONDS", 60, 1, 3600),
        };
}
