using EdgeDm.Hosting;

namespace EdgeDm.FirmwareDownload;

/// <summary>Every bound of a download, with its default and its reason.</summary>
public sealed record DownloadOptions
{
    /// <summary>The defaults.</summary>
    public static DownloadOptions Default { get; } = new();

    /// <summary>Files of one request. A Device Update manifest names at most ten per step.</summary>
    public int MaxFiles { get; init; } = 64;

    /// <summary>Addresses of one file.</summary>
    public int MaxUrlsPerFile { get; init; } = 8;

    /// <summary>Characters of one address; a signed one has a few hundred.</summary>
    public int MaxUrlLength { get; init; } = 4096;

    /// <summary>Bytes of one file or bundle: larger than any gateway's disk, so only an absurd number is refused by it.</summary>
    public long MaxFileBytes { get; init; } = 1L << 50;

    /// <summary>Requests that wait; DeviceManagement sends one at a time, so more is an error on its side.</summary>
    public int MaxWaiting { get; init; } = 32;

    /// <summary>Redirects followed for one request.</summary>
    public int MaxRedirects { get; init; } = 5;

    /// <summary>Rounds over all addresses without progress before the download fails.</summary>
    public int MaxAttempts { get; init; } = 100;

    /// <summary>Time without progress before the download fails; a gateway may be offline for a working day.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Shortest wait between two rounds.</summary>
    public TimeSpan RetryBase { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait between two rounds.</summary>
    public TimeSpan RetryCap { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Longest <c>Retry-After</c> that is obeyed; a longer one counts as this.</summary>
    public TimeSpan MaxRetryAfter { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Time to make a connection.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A window with fewer than <see cref="LowSpeedBytesPerSecond"/> on average ends the attempt.</summary>
    public TimeSpan StallWindow { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>See <see cref="StallWindow"/>; a GPRS link reaches 4,000.</summary>
    public int LowSpeedBytesPerSecond { get; init; } = 128;

    /// <summary>What a round must bring to count as progress: as much as one window at the lowest speed, at least a byte.</summary>
    public long LeastProgressBytes => Math.Max(1, (long)(LowSpeedBytesPerSecond * StallWindow.TotalSeconds));

    /// <summary>At most this many bytes are fetched again after a kill or a power cut.</summary>
    public long CheckpointBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>A slow link is checkpointed after this time even with fewer bytes.</summary>
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The one buffer between network and disk.</summary>
    public int BufferBytes { get; init; } = 128 * 1024;

    /// <summary>Progress messages are this far apart at least.</summary>
    public TimeSpan ProgressInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Hash a file of the store before it is counted as reused; without it the size must do.</summary>
    public bool VerifyStored { get; init; } = true;

    /// <summary>Answered requests, parts and files that no request names are removed after this time.</summary>
    public TimeSpan KeepFor { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Nothing is removed for its age before this after a start or after the clock was set, however old it looks.</summary>
    public TimeSpan SweepDelay { get; init; } = TimeSpan.FromHours(1);

    /// <summary>PEM file with certificate authorities that are trusted besides the system's; null = none.</summary>
    public string? CaFile { get; init; }

    /// <summary>Reads what an operator may change.</summary>
    public static DownloadOptions From(EnvironmentOptions environment)
    {
        var d = Default;
        return d with
        {
            CaFile = environment.Find("EDGEDM_CA_FILE"),
            MaxAttempts = (int)environment.WholeNumber("EDGEDM_DOWNLOAD_MAX_ATTEMPTS", d.MaxAttempts, 1, 10_000),
            GiveUpAfter = environment.Seconds(
                "EDGEDM_DOWNLOAD_GIVE_UP_SECONDS",
                d.GiveUpAfter.TotalSeconds,
                1,
                30 * 86_400
            ),
            StallWindow = environment.Seconds("EDGEDM_DOWNLOAD_STALL_SECONDS", d.StallWindow.TotalSeconds, 1, 3_600),
            CheckpointBytes = environment.WholeNumber(
                "EDGEDM_DOWNLOAD_CHECKPOINT_BYTES",
                d.CheckpointBytes,
                64 * 1024,
                d.CheckpointBytes
            ),
            VerifyStored = environment.Flag("EDGEDM_DOWNLOAD_VERIFY_STORED", d.VerifyStored),
            KeepFor = environment.Seconds("EDGEDM_STORE_KEEP_SECONDS", d.KeepFor.TotalSeconds, 3_600, 3650L * 86_400),
        };
    }
}
