using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Updates;

namespace EdgeDm.Cli;

/// <summary>The instruction steps: one script, or what the steps file says.</summary>
internal static class UpdateSteps
{
    private const string ScriptHandler = "microsoft/script:1";
    private const string AllFiles = "*";

    public static ImmutableArray<StepDescription> Make(UpdateCreateOptions options, ImmutableArray<string> files)
    {
        if (options.Script is not null && options.Steps is not null)
        {
            throw Usage("Give --script or --steps, not both.");
        }
        var steps = options.Steps is { } stepsFile
            ? Read(stepsFile, files)
            :
            [
                Script(
                    options,
                    options.Script
                        ?? throw Usage("Say what the update does: --script <file>, or --steps <steps.json>."),
                    files
                ),
            ];
        if (files.FirstOrDefault(file => !steps.Any(step => step.FileNames.Contains(file))) is { } unused)
        {
            throw Usage($"No step uses '{unused}'. Name it in a step's files, or take it out of the folder.");
        }
        return steps;
    }

    private static StepDescription Script(UpdateCreateOptions options, string script, ImmutableArray<string> files)
    {
        RequireFile(script, files, "--script");
        return new(
            ScriptHandler,
            files,
            ToElement(
                new JsonObject
                {
                    ["scriptFileName"] = script,
                    ["arguments"] = options.Arguments ?? "",
                    ["installedCriteria"] = options.Version,
                    ["apiVersion"] = "1.1",
                }
            )
        );
    }

    private static ImmutableArray<StepDescription> Read(string stepsFile, ImmutableArray<string> files)
    {
        if (!File.Exists(stepsFile))
        {
            throw Usage($"There is no file '{stepsFile}'.");
        }
        if (JsonText.Parse(File.ReadAllText(stepsFile), $"'{stepsFile}'") is not JsonArray { Count: > 0 } list)
        {
            throw Usage($"'{stepsFile}' must be a JSON array with at least one step.");
        }
        return [.. list.Select((step, i) => ReadStep(step, $"step {i} of '{stepsFile}'", files))];
    }

    private static StepDescription ReadStep(JsonNode? node, string where, ImmutableArray<string> files)
    {
        if (node is not JsonObject step)
        {
            throw Usage($"{where} must be an object.");
        }
        var known = new[] { "handler", "files", "handlerProperties", "description" };
        if (step.FirstOrDefault(member => !known.Contains(member.Key)).Key is { } unknown)
        {
            throw Usage($"{where} has the unknown member '{unknown}'; known are {string.Join(", ", known)}.");
        }
        var names = step["files"] is null
            ? []
            : (step["files"] as JsonArray)?.Select(name => Text(name, where, "files")).ToImmutableArray()
                ?? throw Usage($"'files' of {where} must be an array of file names.");
        if (names is [AllFiles])
        {
            names = files;
        }
        foreach (var name in names)
        {
            RequireFile(name, files, where);
        }
        return new(
            Text(step["handler"], where, "handler"),
            names,
            step["handlerProperties"] switch
            {
                null => null,
                JsonObject properties => ToElement(properties),
                _ => throw Usage($"'handlerProperties' of {where} must be an object."),
            },
            step["description"] is { } description ? Text(description, where, "description") : null
        );
    }

    private static string Text(JsonNode? node, string where, string member) =>
        node is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0
            ? text
            : throw Usage($"'{member}' of {where} must be text.");

    private static void RequireFile(string name, ImmutableArray<string> files, string where)
    {
        if (!files.Contains(name))
        {
            throw Usage($"The folder has no file '{name}', which {where} names.");
        }
    }

    private static JsonElement ToElement(JsonObject node) => JsonElement.Parse(JsonText.Compact(node));

    private static CliException Usage(string message) => new(ExitCodes.Usage, message);
}
