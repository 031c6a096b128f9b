using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace EdgeDm.Hosting;

/// <summary>
/// Writes log lines <c>&lt;severity&gt; yyyy-MM-dd HH:mm:ss.fff +00:00 [LVL] - message</c>, with syslog severities and UTC, an exception below
/// its line. One write per entry, so that entries of several threads do not mix. Our own, because a logging framework costs
/// each idle module more memory than the module itself.
/// </summary>
/// <param name="output">Where to; disposed with this.</param>
/// <param name="least">The least level that is written; of .NET's own categories, at least warnings.</param>
/// <param name="time">The clock.</param>
internal sealed class LineLoggerFactory(Stream output, LogLevel least, TimeProvider time) : ILoggerFactory
{
    private readonly Lock gate = new();

    public ILogger CreateLogger(string categoryName)
    {
        var isOfFramework = categoryName.StartsWith("Microsoft.", StringComparison.Ordinal);
        return new LineLogger(this, isOfFramework && least < LogLevel.Warning ? LogLevel.Warning : least);
    }

    /// <summary>Lines have one destination.</summary>
    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose() => output.Dispose();

    private void Write(LogLevel level, string message, Exception? exception)
    {
        var (severity, name) = level switch
        {
            LogLevel.Critical => (0, "FTL"),
            LogLevel.Error => (3, "ERR"),
            LogLevel.Warning => (4, "WRN"),
            LogLevel.Information => (6, "INF"),
            LogLevel.Debug => (7, "DBG"),
            _ => (7, "VRB"),
        };
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"<{severity}> {time.GetUtcNow():yyyy-MM-dd HH:mm:ss.fff zzz} [{name}] - {message}\n"
        );
        var entry = Encoding.UTF8.GetBytes(exception is null ? text : $"{text}{exception}\n");
        lock (gate)
        {
            output.Write(entry);
            output.Flush();
        }
    }

    private sealed class LineLogger(LineLoggerFactory lines, LogLevel least) : ILogger
    {
        public bool IsEnabled(LogLevel logLevel) => logLevel >= least && logLevel != LogLevel.None;

        /// <summary>The lines show no scopes.</summary>
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            if (IsEnabled(logLevel))
            {
                lines.Write(logLevel, formatter(state, exception), exception);
            }
        }
    }
}
