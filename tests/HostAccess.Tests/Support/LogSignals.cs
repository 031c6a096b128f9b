using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Tests.Support;

/// <summary>Keeps log lines and lets a test wait for one.</summary>
internal sealed class LogSignals : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<string> lines = new();
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Text => string.Join('\n', lines);

    public void Add(string line)
    {
        lines.Enqueue(line);
        Interlocked.Exchange(ref changed, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }

    public async Task WaitForAsync(string part, int times = 1)
    {
        while (true)
        {
            var next = Volatile.Read(ref changed).Task;
            if (lines.Count(line => line.Contains(part, StringComparison.Ordinal)) >= times)
            {
                return;
            }
            try
            {
                await next.WaitAsync(TestGateway.Patience);
            }
            catch (TimeoutException error)
            {
                throw new TimeoutException($"'{part}' was not logged:\n{Text}", error);
            }
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    ) => Add($"{formatter(state, exception)} {exception}");

    public void Dispose() { }
}
