using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Extensions.Logging;

namespace EdgeDm.Hosting;

/// <summary>
/// The log line of edgeAgent's and edgeHub's modules, which the log tools of IoT Edge filter by:
/// <c>&lt;severity&gt; yyyy-MM-dd HH:mm:ss.fff zzz [LVL] - message</c>, syslog severities, level from <c>RuntimeLogLevel</c>.
/// </summary>
public static class Logs
{
    private const string Template =
        "<{Severity}> {Timestamp:yyyy-MM-dd HH:mm:ss.fff zzz} [{Level:u3}] - {Message:lj}{NewLine}{Exception}";

    /// <summary>Makes the factory.</summary>
    /// <param name="runtimeLogLevel"><c>fatal error warning info debug verbose</c>, any case; anything else = <c>info</c>.</param>
    [UnconditionalSuppressMessage(
        "Trimming",
        "IL2104",
        Justification = "Serilog's configuration from files is not used."
    )]
    public static ILoggerFactory Create(string? runtimeLogLevel) =>
        new SerilogLoggerFactory(
            new LoggerConfiguration()
                .MinimumLevel.Is(LevelOf(runtimeLogLevel))
                .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
                .Enrich.With<SeverityEnricher>()
                .WriteTo.Console(
                    outputTemplate: Template,
                    formatProvider: System.Globalization.CultureInfo.InvariantCulture
                )
                .CreateLogger(),
            dispose: true
        );

    private static LogEventLevel LevelOf(string? name) =>
        name?.ToLowerInvariant() switch
        {
            "fatal" => LogEventLevel.Fatal,
            "error" => LogEventLevel.Error,
            "warning" => LogEventLevel.Warning,
            "debug" => LogEventLevel.Debug,
            "verbose" => LogEventLevel.Verbose,
            _ => LogEventLevel.Information,
        };

    private sealed class SeverityEnricher : ILogEventEnricher
    {
        public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory) =>
            logEvent.AddPropertyIfAbsent(
                new LogEventProperty(
                    "Severity",
                    new ScalarValue(
                        logEvent.Level switch
                        {
                            LogEventLevel.Fatal => 0,
                            LogEventLevel.Error => 3,
                            LogEventLevel.Warning => 4,
                            LogEventLevel.Information => 6,
                            _ => 7,
                        }
                    )
                )
            );
    }
}
