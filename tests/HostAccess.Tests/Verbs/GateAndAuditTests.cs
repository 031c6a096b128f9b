using EdgeDm.Contracts;
using EdgeDm.HostAccess.Audit;
using EdgeDm.HostAccess.Verbs;
using EdgeDm.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.HostAccess.Tests.Verbs;

public sealed class GateAndAuditTests : IDisposable
{
    private static readonly Caller Someone = new(1000, 42);

    private readonly string folder = Directory.CreateTempSubdirectory("edh").FullName;
    private readonly FakeTimeProvider time = new();

    private string[] Lines => File.ReadAllLines(Path.Combine(folder, "audit.log"));

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Run_InterfaceOtherThanLo_RefusesEveryVerbAndSaysSo()
    {
        var gate = Gate(requireNoNetwork: true, "lo", "eth0");
        var error = Should
            .Throw<EdgeDmException>(() => gate.Run(Someone, "reboot", "r1", enabled: true, accept => Act(accept)))
            .Error;
        error.Name.ShouldBe("networkPresent");
        error.Parameters["interface"].ShouldBe("eth0");
        Lines.ShouldHaveSingleItem().ShouldContain("networkPresent");
    }

    [Theory]
    [InlineData(true, "lo")]
    [InlineData(false, "eth0")]
    public void Run_NoOtherInterfaceOrNotRequired_Acts(bool required, string name) =>
        Gate(required, name).Run(Someone, "reboot", "r1", enabled: true, accept => Act(accept)).ShouldBe("acted");

    [Fact]
    public void Run_AuditLogCannotBeWritten_DoesNotAct()
    {
        var acted = false;
        var gate = new VerbGate(
            new(Path.Combine(folder, "missing"), time),
            requireNoNetwork: false,
            NullLogger.Instance,
            time
        );
        Should.Throw<IOException>(() =>
            gate.Run(
                Someone,
                "reboot",
                "r1",
                enabled: true,
                accept =>
                {
                    accept("accepted", null);
                    return acted = true;
                }
            )
        );
        acted.ShouldBeFalse();
    }

    [Fact]
    public void Denied_ManyTimes_WritesOneLineASecondAndCountsTheRest()
    {
        var gate = Gate(requireNoNetwork: false);
        var error = ErrorRegistry.DeniedByPolicy.Error("s", "c", "No.");
        for (var i = 0; i < 10; i++)
        {
            gate.Denied(Someone, "verbs", error);
        }
        Lines.Length.ShouldBe(1);
        time.Advance(TimeSpan.FromSeconds(1));
        gate.Denied(Someone, "verbs", error);
        Lines.Length.ShouldBe(2);
        Lines[1].ShouldContain("9 before this one not listed");
    }

    [Fact]
    public void Write_FileAtItsLimit_RotatesAndDropsTheOldest()
    {
        var lineLength = LengthOfOneLine();
        var audit = new AuditLog(folder, time, fileLimit: 2 * lineLength, kept: 2);
        for (var i = 1; i <= 9; i++)
        {
            audit.Write(Someone, "v", $"c{i}", "accepted");
        }
        Lines.ShouldHaveSingleItem().ShouldContain("c9");
        File.ReadAllLines(Path.Combine(folder, "audit.log.1")).Length.ShouldBe(2);
        File.ReadAllText(Path.Combine(folder, "audit.log.2")).ShouldContain("c5");
        File.Exists(Path.Combine(folder, "audit.log.3")).ShouldBeFalse();
    }

    [Fact]
    public void Write_BehindALineThatAPowerCutTore_IsALineOfItsOwn()
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "audit.log"), """{"time":"2026-""");

        new AuditLog(folder, time).Write(Someone, "v", "c", "accepted");

        Lines.Length.ShouldBe(2);
        Lines[1].ShouldContain("accepted");
    }

    [Fact]
    public void Write_AnyLine_IsReadableByTheOwnerOnly()
    {
        new AuditLog(folder, time).Write(Someone, "v", "c", "accepted");
        File.GetUnixFileMode(Path.Combine(folder, "audit.log"))
            .ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private static string Act(Action<string, string?> accept)
    {
        accept("accepted", null);
        return "acted";
    }

    private VerbGate Gate(bool requireNoNetwork, params string[] interfaces) =>
        new(new(folder, time), requireNoNetwork, NullLogger.Instance, time, () => interfaces);

    private int LengthOfOneLine()
    {
        var other = Directory.CreateDirectory(Path.Combine(folder, "other")).FullName;
        new AuditLog(other, time).Write(Someone, "v", "c1", "accepted");
        return (int)new FileInfo(Path.Combine(other, "audit.log")).Length;
    }
}
