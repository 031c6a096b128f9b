using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeDm.Benchmarks.BareHost;

/// <summary>
/// The peer of the bench <c>footprint</c>: a service that is hosted, logs one line and does nothing, so what .NET with its
/// generic host costs by itself.
/// </summary>
internal static partial class Program
{
    private static async Task Main(string[] args)
    {
        var builder = Host.CreateApplicationBuilder(args);
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter(typeof(Program).FullName, LogLevel.Information);
        builder.Logging.AddSimpleConsole(options =>
        {
            options.SingleLine = true;
            options.TimestampFormat = "yyyy-MM-dd HH:mm:ss.fff zzz "; // As the modules' log lines.
        });
        using var host = builder.Build();
        await host.StartAsync();
        LogRuns(
            host.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(Program).FullName!),
            Environment.ProcessId
        );
        await host.WaitForShutdownAsync();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The bare host runs, process {ProcessId}")]
    private static partial void LogRuns(ILogger logger, int processId);
}
