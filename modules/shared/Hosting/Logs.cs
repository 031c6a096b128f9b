using Microsoft.Extensions.Logging;

namespace EdgeDm.Hosting;

/// <summary>
/// The log of a program on its standard output, in the lines of edgeAgent's and edgeHub's modules, which the log tools of IoT Edge
/// filter by; level from <c>RuntimeLogLevel</c>.
/// </summary>
public static class Logs
{
    /// <summary>Makes the factory.</summary>
    /// <param name="runtimeLogLevel"><c>fatal error warning info debug verbose</c>, any case; anything else = <c>info</c>.</param>
    public static ILoggerFactory Create(string? runtimeLogLevel) =>
        new LineLoggerFactory(Console.OpenStandardOutput(), LevelOf(runtimeLogLevel), TimeProvider.System);

    /// <summary>What a value of <c>RuntimeLogLevel</c> means.</summary>
    internal static LogLevel LevelOf(string? name) =>
        name?.ToLowerInvariant() switch
        {
            "fatal" => LogLevel.Critical,
            "error" => LogLevel.Error,
            "warning" => LogLevel.Warning,
            "debug" => LogLevel.Debug,
            "verbose" => LogLevel.Trace,
            _ => LogLevel.Information,
        };
}
