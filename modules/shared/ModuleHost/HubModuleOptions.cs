using EdgeDm.Hub;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.ModuleHost;

/// <summary>How a module's hub side behaves.</summary>
public sealed record HubModuleOptions
{
    /// <summary>This module's id.</summary>
    public required string ModuleId { get; init; }

    /// <summary>The folder of what must outlive the process: the outbox and the wanted reported properties. Made if missing.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Where and as whom to connect; asked for each connection.</summary>
    public required Func<CancellationToken, ValueTask<HubSessionOptions>> OptionsFactory { get; init; }

    /// <summary>Told to the hub as the client's type, for example <c>EdgeDm.Telemetry/0.1.0</c>.</summary>
    public string? ProductInfo { get; init; }

    /// <summary>Longest delay before the first retry. Short: the hub and its modules start together.</summary>
    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromSeconds(0.2);

    /// <summary>Longest delay between retries.</summary>
    public TimeSpan LongestRetry { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Share of a token's life after which the connection is made anew, so that the hub does not end it at a bad moment.</summary>
    public double RenewAfter { get; init; } = 0.85;

    /// <summary>Most messages with a file of their own in the outbox; the oldest normal ones give way, results never do.</summary>
    public int MaxOutboxMessages { get; init; } = 1_000;

    /// <summary>Most bytes of messages in the outbox; what a gateway may lose of its flash to a hub that is away.</summary>
    public long MaxOutboxBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>Most messages of one series that wait; see <see cref="Thinning"/> for which go. Enough for some hours in full.</summary>
    public int MaxThinnedPerSeries { get; init; } = 64;

    /// <summary>Most messages of all series that wait.</summary>
    public int MaxThinnedMessages { get; init; } = 512;

    /// <summary>Most bytes of all series' messages; they are written together.</summary>
    public int MaxThinnedBytes { get; init; } = 128 * 1024;

    /// <summary>The waiting messages of all series are written this often at most, for flash wears: at most 3 MB a day.</summary>
    public TimeSpan ThinnedWriteInterval { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Most bytes of one message's body: the hub's limit for the packet, less room for its properties.</summary>
    public int MaxMessageBytes { get; init; } = 240 * 1024;

    /// <summary>Most volatile messages that wait; the oldest give way.</summary>
    public int MaxVolatileMessages { get; init; } = 256;

    /// <summary>How many message ids are remembered to tell repeats. They are forgotten with the process.</summary>
    public int MaxSeenMessages { get; init; } = 4_096;

    /// <summary>Most direct methods that are handled at a time.</summary>
    public int MaxConcurrentMethods { get; init; } = 8;

    /// <summary>Most desired documents that wait for the handler; older ones give way, for each is whole.</summary>
    public int MaxWaitingDesired { get; init; } = 16;

    /// <summary>How often a desired document is handed over when its handler fails.</summary>
    public int MaxDesiredAttempts { get; init; } = 3;

    /// <summary>First delay before a failed handler is called again; doubles up to <see cref="LongestRetry"/>.</summary>
    public TimeSpan HandlerRetry { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Source of the retries' jitter.</summary>
    public Random Random { get; init; } = Random.Shared;

    /// <summary>The log.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;
}
