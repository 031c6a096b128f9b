using System.Text.Json;
using EdgeDm.Contracts;
using EdgeDm.Updates;

namespace EdgeDm.HostAccess.Updates.Handlers;

/// <summary>Reads a step's <c>handlerProperties</c>; <c>manifestMalformed</c> names the wrong one.</summary>
internal sealed class StepProperties(ManifestStep step)
{
    /// <summary>A text, or null when absent.</summary>
    public string? Text(string name)
    {
        if (!TryFind(name, out var value))
        {
            return null;
        }
        return
            value.ValueKind == JsonValueKind.String
            && value.GetString() is { Length: <= ManifestLimits.MaxTextLength } text
            && !text.Contains('\0', StringComparison.Ordinal)
            ? text
            : throw Wrong(name, $"must be a text of at most {ManifestLimits.MaxTextLength} characters");
    }

    /// <summary>A text that must be there.</summary>
    public string RequiredText(string name) => Text(name) ?? throw Wrong(name, "is missing");

    /// <summary>True or false.</summary>
    public bool Flag(string name, bool otherwise)
    {
        if (!TryFind(name, out var value))
        {
            return otherwise;
        }
        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Wrong(name, "must be true or false"),
        };
    }

    /// <summary>A whole number.</summary>
    public int Number(string name, int otherwise, int least, int most)
    {
        if (!TryFind(name, out var value))
        {
            return otherwise;
        }
        return
            value.ValueKind == JsonValueKind.Number
            && value.TryGetInt32(out var number)
            && number >= least
            && number <= most
            ? number
            : throw Wrong(name, $"must be a whole number from {least} to {most}");
    }

    /// <summary>The refusal.</summary>
    public EdgeDmException Wrong(string name, string what) =>
        ErrorRegistry.ManifestMalformed.Refusal(
            $"instructions.steps[{step.Index}].handlerProperties.{name}",
            $"{name} {what}."
        );

    private bool TryFind(string name, out JsonElement value) =>
        step.HandlerProperties.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;
}
