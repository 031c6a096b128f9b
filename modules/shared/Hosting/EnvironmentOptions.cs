using System.Collections;
using System.Globalization;

namespace EdgeDm.Hosting;

/// <summary>The configuration is wrong; the message names the variable or file and how to mend it.</summary>
public sealed class MisconfiguredException(string message) : Exception(message);

/// <summary>Typed reading of a program's environment. Every bound is checked and every error names its variable.</summary>
public sealed class EnvironmentOptions
{
    private readonly IReadOnlyDictionary<string, string> values;

    /// <summary>Over given values, for tests.</summary>
    public EnvironmentOptions(IReadOnlyDictionary<string, string> values) => this.values = values;

    /// <summary>Over the process's environment.</summary>
    public static EnvironmentOptions FromProcess() =>
        new(
            Environment
                .GetEnvironmentVariables()
                .Cast<DictionaryEntry>()
                .ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "", StringComparer.Ordinal)
        );

    /// <summary>A text, or <paramref name="otherwise"/> when absent or empty.</summary>
    public string Text(string name, string otherwise) => Find(name) ?? otherwise;

    /// <summary>A text, or null when absent or empty.</summary>
    public string? Find(string name) => values.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    /// <summary>A text that must be there.</summary>
    public string Required(string name, string meaning) =>
        Find(name) ?? throw new MisconfiguredException($"The environment variable {name} is missing: {meaning}");

    /// <summary>A duration in seconds, fractions allowed.</summary>
    public TimeSpan Seconds(string name, double otherwise, double least, double most) =>
        TimeSpan.FromSeconds(Number(name, otherwise, least, most));

    /// <summary>A whole number.</summary>
    public long WholeNumber(string name, long otherwise, long least, long most)
    {
        if (Find(name) is not { } text)
        {
            return otherwise;
        }
        return
            long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            && value >= least
            && value <= most
            ? value
            : throw new MisconfiguredException(
                $"{name} is '{text}' and must be a whole number from {least} to {most}."
            );
    }

    /// <summary><c>true</c> or <c>false</c>.</summary>
    public bool Flag(string name, bool otherwise) =>
        Find(name) switch
        {
            null => otherwise,
            "true" => true,
            "false" => false,
            var text => throw new MisconfiguredException($"{name} is '{text}' and must be 'true' or 'false'."),
        };

    private double Number(string name, double otherwise, double least, double most)
    {
        if (Find(name) is not { } text)
        {
            return otherwise;
        }
        return
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            && value >= least
            && value <= most
            ? value
            : throw new MisconfiguredException($"{name} is '{text}' and must be a number from {least} to {most}.");
    }
}
