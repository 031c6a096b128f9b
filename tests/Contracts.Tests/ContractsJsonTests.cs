using System.Text.Json;

namespace EdgeDm.Contracts.Tests;

/// <summary>The exact bytes that cross boundaries: another version, or another program, reads them.</summary>
public sealed class ContractsJsonTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void DownloadRequest_AsJson() =>
        Json(
                new DownloadRequest("j", [new("f1", "a.bin", 5, "ab", ["http://x/a"])]),
                ContractsJson.Default.DownloadRequest
            )
            .ShouldBe(
                """{"jobId":"j","files":[{"fileId":"f1","fileName":"a.bin","sizeInBytes":5,"sha256":"ab","urls":["http://x/a"]}]}"""
            );

    [Fact]
    public void DownloadCompleted_AsJson() =>
        Json(new DownloadCompleted("j", new(1, 2, 3), [new("f1", "ab", 5)]), ContractsJson.Default.DownloadCompleted)
            .ShouldBe(
                """{"jobId":"j","bytes":{"fetched":1,"reused":2,"total":3},"files":[{"fileId":"f1","sha256":"ab","sizeInBytes":5}]}"""
            );

    [Fact]
    public void UpdateStatus_AsJson() =>
        Json(
                new UpdateStatus(
                    "c",
                    3,
                    HostUpdateState.Verifying,
                    "u",
                    "boot",
                    90,
                    [new(0, "microsoft/script:1", "running")],
                    null,
                    new(Noon, ["Telemetry"])
                ),
                ContractsJson.Default.UpdateStatus
            )
            .ShouldBe(
                """{"commandId":"c","revision":3,"state":"verifying","updateId":"u","hostInstanceId":"boot","percent":90,"steps":[{"index":0,"handler":"microsoft/script:1","state":"running"}],"health":{"deadline":"2026-01-02T12:00:00+00:00","missing":["Telemetry"]}}"""
            );

    [Fact]
    public void FirmwareUpdateReported_AsJson() =>
        Json(
                new FirmwareUpdateReported(FirmwareStates.Downloading, null, "j", "download", 12, new(1, 0, 9)),
                ContractsJson.Default.FirmwareUpdateReported
            )
            .ShouldBe(
                """{"state":"downloading","jobId":"j","step":"download","percent":12,"bytes":{"fetched":1,"reused":0,"total":9}}"""
            );

    [Fact]
    public void JobDocument_Read_NeedsOnlyWhatIsAlwaysThere()
    {
        const string Least =
            """{"jobId":"j","type":"rebootDevice","status":"enqueued","source":"x","createdTime":"2026-01-02T12:00:00Z","percent":0,"steps":[]}""";

        var job = JsonSerializer.Deserialize(Least, ContractsJson.Default.JobDocument)!;

        job.EndTime.ShouldBeNull();
        Json(job, ContractsJson.Default.JobDocument)
            .ShouldBe(Least.Replace("12:00:00Z", "12:00:00+00:00", StringComparison.Ordinal));
    }

    [Fact]
    public void HostInventory_WithoutSerialNumber_ReadsBack()
    {
        var inventory = new HostInventory("m", "n", null, null, "1", 1, 2, Noon, "+00:00", "UTC", Noon, "i", []);

        var json = Json(inventory, ContractsJson.Default.HostInventory);
        var read = JsonSerializer.Deserialize(json, ContractsJson.Default.HostInventory)!;

        (read with { InstalledUpdates = inventory.InstalledUpdates }).ShouldBe(inventory);
    }

    [Fact]
    public void Reading_UnknownMember_IsIgnored()
    {
        var ping = JsonSerializer.Deserialize("""{"pingId":"p","new":{"a":1}}""", ContractsJson.Default.Ping);

        ping.ShouldBe(new Ping("p"));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"pingId":null}""")]
    [InlineData("""{"pingId":7}""")]
    [InlineData("[]")]
    public void Reading_RequiredMemberAbsentOrWrong_Throws(string json) =>
        Should.Throw<JsonException>(() => JsonSerializer.Deserialize(json, ContractsJson.Default.Ping));

    [Fact]
    public void TerminalStates_AreTheFour() =>
        new[]
        {
            HostUpdateState.Accepted,
            HostUpdateState.Staging,
            HostUpdateState.Installing,
            HostUpdateState.Rebooting,
            HostUpdateState.Verifying,
            HostUpdateState.RollingBack,
            HostUpdateState.Committed,
            HostUpdateState.Failed,
            HostUpdateState.RolledBack,
            HostUpdateState.Cancelled,
        }
            .Where(HostUpdateState.IsTerminal)
            .ShouldBe([
                HostUpdateState.Committed,
                HostUpdateState.Failed,
                HostUpdateState.RolledBack,
                HostUpdateState.Cancelled,
            ]);

    [Fact]
    public void HostApi_PathOfAnOddId_IsEscaped() =>
        HostApi.Update("a/b", 4, 20).ShouldBe("/v1/updates/a%2Fb?afterRevision=4&waitSeconds=20");

    private static string Json<T>(T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> typeInfo) =>
        JsonSerializer.Serialize(value, typeInfo);
}
