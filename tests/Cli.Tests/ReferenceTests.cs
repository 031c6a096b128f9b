using System.CommandLine;
using System.Text;

namespace EdgeDm.Cli.Tests;

/// <summary>
/// docs/cli.md cannot drift: its second half is the program's own help. After a change of the help run these tests once
/// with EDGEDM_WRITE_REFERENCE=1 and commit the page.
/// </summary>
public sealed class ReferenceTests
{
    private const string Marker = "<!-- From here on written by ReferenceTests from `edgedm --help`. -->\n";

    [Fact]
    public void Reference_EveryCommand_IsAsItsHelpSays()
    {
        var page = FindPage();
        var text = File.ReadAllText(page).ReplaceLineEndings("\n");
        text.ShouldContain(Marker);
        var written = text[..(text.IndexOf(Marker, StringComparison.Ordinal) + Marker.Length)] + Reference();
        if (Environment.GetEnvironmentVariable("EDGEDM_WRITE_REFERENCE") == "1")
        {
            File.WriteAllText(page, written);
        }
        text.ShouldBe(written, "Run this test with EDGEDM_WRITE_REFERENCE=1 and commit docs/cli.md.");
    }

    [Fact]
    public void Help_EveryOptionAndArgument_HasADescription()
    {
        foreach (var (path, command) in Commands())
        {
            command.Description.ShouldNotBeNullOrEmpty(path);
            foreach (var symbol in command.Options.Cast<Symbol>().Concat(command.Arguments))
            {
                symbol.Description.ShouldNotBeNullOrEmpty($"{path} {symbol.Name}");
            }
        }
    }

    [Fact]
    public async Task Help_OfTheRealProgram_IsTheOneOfTheReference()
    {
        var result = await EdgeDmProcess.RunAsync("update", "create", "--help");
        Tidy(result.ShouldExitWith(0).Output).ShouldBe(HelpOf(["update", "create"]));
    }

    [Theory]
    [InlineData(new string[0], "edgedm --help")]
    [InlineData(new[] { "job" }, "edgedm job --help")]
    [InlineData(new[] { "jobs" }, "edgedm --help")]
    [InlineData(new[] { "twin", "show", "--what" }, "edgedm twin show --help")]
    public async Task Run_WrongUsage_ExitsWith2AndNamesTheHelp(string[] args, string help)
    {
        var result = await EdgeDmProcess.RunAsync(args);
        result.ShouldExitWith(2).Error.ShouldContain($"Try '{help}'");
        result.Output.ShouldBeEmpty();
    }

    private static string Reference()
    {
        var text = new StringBuilder();
        foreach (var (path, command) in Commands().Where(c => c.Command.Subcommands.Count == 0))
        {
            text.Append($"\n### {path}\n\n```\n{HelpOf(path.Split(' ')[1..])}\n```\n");
        }
        return text.ToString();
    }

    private static string HelpOf(string[] path)
    {
        var output = new StringWriter();
        EdgeDmCommand.Create().Parse([.. path, "--help"]).Invoke(new() { Output = output });
        return Tidy(output.ToString());
    }

    private static string Tidy(string help) =>
        string.Join('\n', help.ReplaceLineEndings("\n").Split('\n').Select(line => line.TrimEnd())).Trim();

    private static IEnumerable<(string Path, Command Command)> Commands()
    {
        return Walk("edgedm", EdgeDmCommand.Create());

        static IEnumerable<(string, Command)> Walk(string path, Command command) =>
            command.Subcommands.SelectMany(child => Walk($"{path} {child.Name}", child)).Prepend((path, command));
    }

    private static string FindPage()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "EdgeDm.sln")))
        {
            folder = folder.Parent;
        }
        return Path.Combine(folder!.FullName, "docs", "cli.md");
    }
}
