using System.Collections;

namespace EdgeDm.Cli;

/// <summary>What a handler gets beside its options.</summary>
/// <param name="Terminal">Where to write.</param>
/// <param name="Environment">The environment's variables.</param>
/// <param name="Time">The clock.</param>
internal sealed record CliContext(Terminal Terminal, CliEnvironment Environment, TimeProvider Time)
{
    public static CliContext OfProcess(bool json) =>
        new(new Terminal(Console.Out, Console.Error, json), CliEnvironment.OfProcess(), TimeProvider.System);
}

/// <summary>Environment variables; an empty one counts as absent.</summary>
internal sealed class CliEnvironment(IReadOnlyDictionary<string, string> values)
{
    public const string ConnectionString = "EDGEDM_CONNECTION_STRING";
    public const string ConnectionStringFile = "EDGEDM_CONNECTION_STRING_FILE";
    public const string CaFile = "EDGEDM_CA_FILE";
    public const string HttpsPort = "EDGEDM_HTTPS_PORT";
    public const string Device = "EDGEDM_DEVICE";
    public const string Passphrase = "EDGEDM_PASSPHRASE";
    public const string BaseUrl = "EDGEDM_BASE_URL";

    public string? Find(string name) => values.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    public static CliEnvironment OfProcess() =>
        new(
            System
                .Environment.GetEnvironmentVariables()
                .Cast<DictionaryEntry>()
                .ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "", StringComparer.Ordinal)
        );
}
