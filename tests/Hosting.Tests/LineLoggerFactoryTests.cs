using System.Text;
using EdgeDm.Testing;
using Microsoft.Extensions.Logging;

namespace EdgeDm.Hosting.Tests;

public sealed class LineLoggerFactoryTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 31, 12, 0, 5, 7, TimeSpan.Zero);

    private readonly MemoryStream output = new();

    [Theory]
    [InlineData(LogLevel.Critical, "<0> 2026-01-31 12:00:05.007 +00:00 [FTL] - text 1.5\n")]
    [InlineData(LogLevel.Error, "<3> 2026-01-31 12:00:05.007 +00:00 [ERR] - text 1.5\n")]
    [InlineData(LogLevel.Warning, "<4> 2026-01-31 12:00:05.007 +00:00 [WRN] - text 1.5\n")]
    [InlineData(LogLevel.Information, "<6> 2026-01-31 12:00:05.007 +00:00 [INF] - text 1.5\n")]
    [InlineData(LogLevel.Debug, "<7> 2026-01-31 12:00:05.007 +00:00 [DBG] - text 1.5\n")]
    [InlineData(LogLevel.Trace, "<7> 2026-01-31 12:00:05.007 +00:00 [VRB] - text 1.5\n")]
    public void Log_AnyLevel_WritesTheLineOfIoTEdge(LogLevel level, string line)
    {
        Logger(LogLevel.Trace).Log(level, "text {Number}", 1.5);

        Written.ShouldBe(line);
    }

    [Fact]
    public void Log_WithException_WritesItBelow()
    {
        Logger(LogLevel.Information).LogError(new InvalidOperationException("because"), "failed");

        Written.ShouldBe(
            "<3> 2026-01-31 12:00:05.007 +00:00 [ERR] - failed\nSystem.InvalidOperationException: because\n"
        );
    }

    [Theory]
    [InlineData("DeviceManagement", LogLevel.Debug, true)]
    [InlineData("DeviceManagement", LogLevel.Trace, false)]
    [InlineData("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Warning, true)]
    [InlineData("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Information, false)]
    [InlineData("Microsofter", LogLevel.Debug, true)]
    [InlineData("DeviceManagement", LogLevel.None, false)]
    public void IsEnabled_AtDebug_IsForOursFromDebugAndForTheFrameworkFromWarning(
        string category,
        LogLevel level,
        bool enabled
    )
    {
        var logger = Logger(LogLevel.Debug, category);

        logger.Log(level, "text");

        logger.IsEnabled(level).ShouldBe(enabled);
        (output.Length > 0).ShouldBe(enabled);
    }

    [Fact]
    public void IsEnabled_AtError_IsNotRelaxedForTheFramework() =>
        Logger(LogLevel.Error, "Microsoft.Extensions").IsEnabled(LogLevel.Warning).ShouldBeFalse();

    [Theory]
    [InlineData("fatal", LogLevel.Critical)]
    [InlineData("ERROR", LogLevel.Error)]
    [InlineData("warning", LogLevel.Warning)]
    [InlineData("info", LogLevel.Information)]
    [InlineData("debug", LogLevel.Debug)]
    [InlineData("verbose", LogLevel.Trace)]
    [InlineData("other", LogLevel.Information)]
    [InlineData(null, LogLevel.Information)]
    public void LevelOf_ValueOfRuntimeLogLevel_IsThatLevel(string? value, LogLevel level) =>
        Logs.LevelOf(value).ShouldBe(level);

    private string Written => Encoding.UTF8.GetString(output.ToArray());

    private ILogger Logger(LogLevel least, string category = "Module") =>
        new LineLoggerFactory(output, least, new FakeTimeProvider(Now)).CreateLogger(category);
}
