using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.HostAccess.Hosts;
using EdgeDm.HostAccess.Updates.Handlers;
using EdgeDm.HostAccess.Updates.Handlers.Script;
using EdgeDm.Updates;

namespace EdgeDm.HostAccess.Tests.Updates;

/// <summary>The letter of Device Update's script contract.</summary>
public sealed class ScriptCallTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("edh").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(null, "--action-is-installed ")]
    [InlineData("1.0", "--action-is-installed ")]
    [InlineData("1.1", "--action is-installed ")]
    [InlineData("2.0", "")]
    public void Arguments_ApiVersion_DecidesTheActionsForm(string? version, string action) =>
        ArgumentsOf(StepAction.IsInstalled, ("apiVersion", version)).ShouldStartWith(action + "--work-folder");

    [Fact]
    public void Arguments_InOrder_ActionThenTheMakersThenOurs() =>
        ArgumentsOf(StepAction.Install, ("apiVersion", "1.1"), ("arguments", "a  b"), ("installedCriteria", "c d"))
            .ShouldBe(
                $"--action install a b --work-folder {folder} --result-file {folder}/action_install_aduc_result.json --installed-criteria c d"
            );

    [Fact]
    public void Arguments_ComponentProperties_AreNotAvailable() =>
        ArgumentsOf(
                StepAction.Apply,
                ("arguments", "-i --component-id-val -p --component-prop-val path --component-group-val end")
            )
            .ShouldStartWith("--action-apply -i n/a -p n/a n/a end --work-folder");

    [Fact]
    public void Arguments_WithAnImage_NameItBehindTheAction()
    {
        var step = StepOf(("swuFileName", "image.swu"), ("arguments", "-x"));
        string.Join(' ', new ScriptCall(Work(step), ScriptDialect.Swupdate.Read(step), StepAction.Install).Arguments)
            .ShouldStartWith($"--action-install --swu-file {folder}/image.swu -x --work-folder");
        ScriptDialect.Script.Read(step).SwuFileName.ShouldBeNull();
    }

    [Theory]
    [InlineData("""{"resultCode":600,"extendedResultCode":1,"resultDetails":"ok"}""", 600, 1, null)]
    [InlineData("""{"resultCode":1}""", 1, 0, null)]
    [InlineData("""{"resultCode":0,"extendedResultCode":0}""", 0, 0x30500206, "stepFailed")]
    [InlineData("""{"resultCode":-1,"extendedResultCode":42}""", -1, 42, "stepFailed")]
    [InlineData("""{"extendedResultCode":42}""", 0, 0x30500205, "stepResultMissing")]
    [InlineData("""{"resultCode":"600"}""", 0, 0x30500205, "stepResultMissing")]
    [InlineData("600", 0, 0x30500205, "stepResultMissing")]
    [InlineData("null", 0, 0x30500205, "stepResultMissing")]
    public void Of_ResultFile_IsReadAsDeviceUpdateDoes(string file, int code, int extended, string? error)
    {
        var result = ResultOf(file);
        result.ResultCode.ShouldBe(code);
        result.ExtendedResultCode.ShouldBe(extended);
        result.Error?.Name.ShouldBe(error);
        (result.Error is null).ShouldBe(error is null);
    }

    [Fact]
    public void Of_LongDetails_AreCut() =>
        ResultOf($$"""{"resultCode":1,"resultDetails":"{{new string('d', 1025)}}"}""").Details.Length.ShouldBe(1024);

    [Theory]
    [InlineData(ScriptResult.MaxFileBytes, true)]
    [InlineData(ScriptResult.MaxFileBytes + 1, false)]
    public void Of_FileAtTheLimit_IsReadAndOneByteMoreIsNot(int length, bool read) =>
        (ResultOf("""{"resultCode":1}""".PadRight(length)).Error is null).ShouldBe(read);

    private ActionResult ResultOf(string file)
    {
        var call = Call(StepAction.Install);
        File.WriteAllText(call.ResultPath, file);
        return ScriptResult.Of(call, new(UnitPhase.Exited), TimeSpan.FromHours(1));
    }

    private string ArgumentsOf(StepAction action, params (string Name, string? Value)[] properties) =>
        string.Join(' ', Call(action, properties).Arguments);

    private ScriptCall Call(StepAction action, params (string Name, string? Value)[] properties)
    {
        var step = StepOf(properties);
        return new(Work(step), ScriptDialect.Script.Read(step), action);
    }

    private StepWork Work(ManifestStep step) => new("c", step, folder, Booted: false);

    private static ManifestStep StepOf(params (string Name, string? Value)[] properties)
    {
        var json = new JsonObject { ["scriptFileName"] = "s.sh" };
        foreach (var (name, value) in properties)
        {
            json[name] = value;
        }
        return new(0, StepTypes.Inline, "microsoft/script:1", [], JsonElement.Parse(json.ToJsonString()));
    }
}
