using System.CommandLine;
using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>The options of every command that has something go wrong on purpose.</summary>
internal sealed class FaultOptions
{
    private readonly Option<string[]> module = new("--module")
    {
        Description = "Whose connections, a module's id; '-' = the device itself. Repeatable. [default: everybody's]",
        HelpName = "id",
    };

    private readonly Option<TimeSpan?> duration = DurationText.Option(
        "--for",
        "How long, for example 30s. [default: until 'edgedm hub restore', or the hub stops]"
    );

    private readonly HubOptions hub;

    private FaultOptions(Command command)
    {
        command.Options.Add(module);
        command.Options.Add(duration);
        hub = HubOptions.AddTo(command);
    }

    public static FaultOptions AddTo(Command command) => new(command);

    /// <summary>The target of a command line.</summary>
    public HubTarget Open(ParseResult result, CliContext context) => hub.Open(result, context);

    /// <summary>What was asked for, without what the kind of fault adds.</summary>
    public JsonObject Of(ParseResult result, HubTarget target, string kind)
    {
        var modules = result.GetValue(module) ?? [];
        var asked = new JsonObject { ["kind"] = kind };
        if (modules.Length > 0)
        {
            asked["device"] = target.Device;
            asked["modules"] = new JsonArray([.. modules.Select(name => (JsonNode)JsonValue.Create(name))]);
        }
        if (result.GetValue(duration) is { } time)
        {
            asked["milliseconds"] = (int)time.TotalMilliseconds;
        }
        return asked;
    }
}
