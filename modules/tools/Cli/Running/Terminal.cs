using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using Spectre.Console;

namespace EdgeDm.Cli;

/// <summary>Where a command writes: words for people, or with <c>--json</c> nothing but JSON on standard output.</summary>
internal sealed class Terminal(TextWriter output, TextWriter error, bool json)
{
    private readonly Lazy<IAnsiConsole> ansi = new(() =>
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) })
    );

    /// <summary>True with <c>--json</c>.</summary>
    public bool Json { get; } = json;

    /// <summary>True when a person looks at it, who can see a bar move.</summary>
    public bool IsInteractive => !Json && !Console.IsOutputRedirected && Ansi.Profile.Capabilities.Ansi;

    /// <summary>For progress bars and prompts.</summary>
    public IAnsiConsole Ansi => ansi.Value;

    /// <summary>A line for people; nothing with <c>--json</c>.</summary>
    public void Say(string line)
    {
        if (!Json)
        {
            output.WriteLine(line);
        }
    }

    /// <summary>A warning; on standard error, so that it never mixes with a result.</summary>
    public void Warn(string line) => error.WriteLine($"edgedm: {line}");

    /// <summary>One JSON document on one line, for programs that follow something.</summary>
    public void WriteJsonLine(JsonNode? document) => output.WriteLine(JsonText.Compact(document));

    /// <summary>One indented JSON document, whoever reads.</summary>
    public void WriteJson(JsonNode? document) => output.WriteLine(JsonText.Indented(document));

    /// <summary>The result: the document for programs, the words for people.</summary>
    public void Result(Func<JsonNode?> document, Action<Terminal> words)
    {
        if (Json)
        {
            WriteJson(document());
        }
        else
        {
            words(this);
        }
    }

    /// <summary>Why the command ends; on standard error.</summary>
    public void WriteError(int exitCode, string message, ErrorObject? cause = null)
    {
        if (!Json)
        {
            error.WriteLine(
                $"edgedm: {message}{(cause is null ? "" : $" [{cause.Code} {cause.Name}, {cause.Context}]")}"
            );
            return;
        }
        var document = new JsonObject { ["exitCode"] = exitCode, ["message"] = message };
        if (cause is not null)
        {
            document["error"] = JsonSerializer.SerializeToNode(cause, ContractsJson.Default.ErrorObject);
        }
        error.WriteLine(JsonText.Compact(document));
    }
}
