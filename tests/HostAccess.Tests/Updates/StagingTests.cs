using System.Text;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Tests.Support;
using EdgeDm.HostAccess.Updates;
using EdgeDm.HostAccess.Updates.Staging;
using EdgeDm.Testing;
using EdgeDm.Updates;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.HostAccess.Tests.Updates;

public sealed class StagingTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("edh").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(0, true)]
    [InlineData(-1, false)]
    public async Task StageAsync_SpaceAtTheEdge_DecidesBeforeAnythingIsCopied(int more, bool fits)
    {
        var update = Stored(new TestUpdate().Script("12345"));
        var area = Area(() => StagingArea.Reserve + 5 + more);
        if (fits)
        {
            await area.StageAsync("c", Admitted(update), _ => { }, CancellationToken.None);
            File.ReadAllText(Path.Combine(area.WorkFolder("c", 0), "install.sh")).ShouldBe("12345");
        }
        else
        {
            var error = (
                await Should.ThrowAsync<EdgeDmException>(() =>
                    area.StageAsync("c", Admitted(update), _ => { }, CancellationToken.None)
                )
            ).Error;
            error.Name.ShouldBe("noSpace");
            error.Parameters["needed"].ShouldBe("5");
            error.Parameters["available"].ShouldBe("4");
            area.List().ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task StageAsync_Copies_AreForTheOwnerOnly()
    {
        var area = Area(() => long.MaxValue);
        await area.StageAsync("c", Admitted(Stored(new TestUpdate().Script("s"))), _ => { }, CancellationToken.None);
        const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        File.GetUnixFileMode(area.WorkFolder("c", 0)).ShouldBe(Owner | UnixFileMode.UserExecute);
        File.GetUnixFileMode(Path.Combine(area.WorkFolder("c", 0), "install.sh")).ShouldBe(Owner);
    }

    [Fact]
    public async Task StageAsync_LeftoversOfAnEarlierAttempt_AreReplaced()
    {
        var area = Area(() => long.MaxValue);
        var update = Stored(new TestUpdate().Script("s"));
        Directory.CreateDirectory(area.WorkFolder("c", 0));
        await File.WriteAllTextAsync(Path.Combine(area.WorkFolder("c", 0), "planted"), "x");
        await area.StageAsync("c", Admitted(update), _ => { }, CancellationToken.None);
        Directory.EnumerateFiles(area.WorkFolder("c", 0)).Select(Path.GetFileName).ShouldBe(["install.sh"]);
    }

    [Fact]
    public void Open_LinkedDigestFolder_IsRefused()
    {
        var update = Stored(new TestUpdate().Script("s"));
        var store = Path.Combine(folder, "store");
        Directory.Move(Path.Combine(store, "sha256"), Path.Combine(store, "real"));
        Directory.CreateSymbolicLink(Path.Combine(store, "sha256"), Path.Combine(store, "real"));
        Should
            .Throw<EdgeDmException>(() => new PackageStore(store).Open(Admitted(update).Full!.Files["f0"]))
            .Error.Name.ShouldBe("storeDamaged");
    }

    [Fact]
    public void RequireRecent_ManifestAtTheBound_IsTakenAndOlderIsNot()
    {
        var newest = new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);
        var installed = Installed(TimeSpan.FromDays(30));
        installed.RequireRecent(created: null); // Nothing was accepted yet.
        installed.Commit(UpdateId.Create("A", "B", "1.0"), newest);
        installed = Installed(TimeSpan.FromDays(30));
        installed.RequireRecent(newest.AddDays(-30));
        Should
            .Throw<EdgeDmException>(() => installed.RequireRecent(newest.AddDays(-30).AddTicks(-1)))
            .Error.Name.ShouldBe("manifestTooOld");
        Should.Throw<EdgeDmException>(() => installed.RequireRecent(created: null));
        Installed(age: null).RequireRecent(created: null);
    }

    [Fact]
    public void Commit_NewerVersion_ReplacesTheOlderOfItsPairAndStandsFirst()
    {
        var installed = Installed(age: null);
        installed.Commit(UpdateId.Create("A", "B", "1.0"), created: null);
        installed.Commit(UpdateId.Create("A", "C", "1.0"), created: null);
        installed.Commit(UpdateId.Create("A", "B", "2.0"), created: null);
        Installed(age: null)
            .NewestFirst.Select(update => UpdateId.Parse(update.UpdateId))
            .ShouldBe([new("A", "B", "2.0"), new("A", "C", "1.0")]);
    }

    private InstalledUpdates Installed(TimeSpan? age) =>
        new(
            Path.Combine(folder, "installed.json"),
            new([], [], TimeSpan.FromHours(1), age),
            committed: [],
            new FakeTimeProvider(),
            NullLogger.Instance
        );

    private StagingArea Area(Func<long> freeBytes) =>
        new(Path.Combine(folder, "staging"), new(Path.Combine(folder, "store")), freeBytes);

    private TestUpdate Stored(TestUpdate update)
    {
        var store = Directory.CreateDirectory(Path.Combine(folder, "store", "sha256")).FullName;
        foreach (var (digest, content) in update.Contents)
        {
            File.WriteAllBytes(Path.Combine(store, digest), content);
        }
        return update;
    }

    private static AdmittedUpdate Admitted(TestUpdate update)
    {
        var manifest = UpdateManifest.Parse(Encoding.UTF8.GetBytes(update.Manifest()));
        return new(manifest, manifest);
    }
}
