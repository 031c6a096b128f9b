using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace EdgeDm.Testing;

/// <summary>Keeps every line, of every level.</summary>
public sealed class LineLog : ILoggerFactory
{
    private readonly ConcurrentQueue<(string Category, string Line)> lines = new();

    /// <summary>Everything that was logged, with its exceptions.</summary>
    public string All => string.Join('\n', lines.Select(l => l.Line));

    /// <summary>The lines of a type.</summary>
    public IReadOnlyList<string> Of(string type) =>
        [.. lines.Where(l => l.Category.EndsWith("." + type, StringComparison.Ordinal)).Select(l => l.Line)];

    /// <inheritdoc />
    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, lines);

    /// <inheritdoc />
    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    /// <inheritdoc />
    public void Dispose() { }

    private sealed class Logger(string category, ConcurrentQueue<(string, string)> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => lines.Enqueue((category, $"{logLevel}: {formatter(state, exception)} {exception}"));
    }
}
