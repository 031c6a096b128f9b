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

    private readonly Command command;
    private readonly HubOptions hub;

    private FaultOptions(Command command)
    {
        this.command = command;
        command.Options.Add(module);
        command.Options.Add(duration);
        hub = HubOptions.AddTo(command);
    }

    public static FaultOptions AddTo(Command command) => new(command);

    /// <summary>What the command does: turns on a fault of its kind.</summary>
    /// <param name="kind">In the hub's words.</param>
    /// <param name="add">Adds what this kind has besides.</param>
    public Command Runs(string kind, Action<ParseResult, JsonObject> add) =>
        command.Runs(
            async (result, context, cancellationToken) =>
            {
                using var target = hub.Open(result, context);
                var asked = Asked(result, target, kind);
                add(result, asked);
                return await FaultSwitch.OnAsync(asked, target, context, cancellationToken);
            }
        );

    private JsonObject Asked(ParseResult result, HubTarget target, string kind)
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
