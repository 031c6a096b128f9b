using EdgeDm.FirmwareDownload.Http;
using EdgeDm.Hosting;

namespace EdgeDm.FirmwareDownload.Tests;

public sealed class OptionsTests
{
    [Fact]
    public void From_EmptyEnvironment_IsTheDefaults()
    {
        From().ShouldBe(DownloadOptions.Default);
        (From().MaxRedirects, From().StallWindow.TotalSeconds, From().CheckpointBytes).ShouldBe(
            (5, 30, 4 * 1024 * 1024)
        );
    }

    [Fact]
    public void From_Environment_IsTaken() =>
        From(
                ("EDGEDM_CA_FILE", "/ca.pem"),
                ("EDGEDM_DOWNLOAD_MAX_ATTEMPTS", "1"),
                ("EDGEDM_DOWNLOAD_GIVE_UP_SECONDS", "1"),
                ("EDGEDM_DOWNLOAD_STALL_SECONDS", "1"),
                ("EDGEDM_DOWNLOAD_CHECKPOINT_BYTES", "65536"),
                ("EDGEDM_DOWNLOAD_VERIFY_STORED", "false"),
                ("EDGEDM_STORE_KEEP_SECONDS", "3600")
            )
            .ShouldBe(
                DownloadOptions.Default with
                {
                    CaFile = "/ca.pem",
                    MaxAttempts = 1,
                    GiveUpAfter = TimeSpan.FromSeconds(1),
                    StallWindow = TimeSpan.FromSeconds(1),
                    CheckpointBytes = 65_536,
                    VerifyStored = false,
                    KeepFor = TimeSpan.FromHours(1),
                }
            );

    [Theory]
    [InlineData("EDGEDM_DOWNLOAD_MAX_ATTEMPTS", "0")]
    [InlineData("EDGEDM_DOWNLOAD_MAX_ATTEMPTS", "10001")]
    [InlineData("EDGEDM_DOWNLOAD_STALL_SECONDS", "0.9")]
    [InlineData("EDGEDM_DOWNLOAD_CHECKPOINT_BYTES", "65535")]
    [InlineData("EDGEDM_DOWNLOAD_CHECKPOINT_BYTES", "4194305")]
    [InlineData("EDGEDM_STORE_KEEP_SECONDS", "3599")]
    public void From_OutOfRange_IsMisconfigured(string name, string value) =>
        Should.Throw<MisconfiguredException>(() => From((name, value))).Message.ShouldContain(name);

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.5)]
    [InlineData(0.999)]
    public void RetrySchedule_AnyRandomness_StaysBetweenBaseAndCap(double random)
    {
        var options = DownloadOptions.Default;
        var schedule = new RetrySchedule(options, () => random);

        var waits = Enumerable.Range(0, 50).Select(_ => schedule.Next()).ToList();

        waits.ShouldAllBe(w => w >= options.RetryBase && w <= options.RetryCap);
        waits.Zip(waits.Skip(1)).ShouldAllBe(w => w.Second <= w.First * 3 + TimeSpan.FromTicks(10));
    }

    [Fact]
    public void RetrySchedule_Reset_BeginsWithShortWaits()
    {
        var schedule = new RetrySchedule(DownloadOptions.Default, () => 0.999);
        for (var i = 0; i < 20; i++)
        {
            schedule.Next();
        }

        schedule.Reset();

        schedule.Next().ShouldBeLessThanOrEqualTo(DownloadOptions.Default.RetryBase * 3);
    }

    private static DownloadOptions From(params (string Name, string Value)[] values) =>
        DownloadOptions.From(new(values.ToDictionary(v => v.Name, v => v.Value)));
}
