using System.Text.Json.Nodes;
using EdgeDm.Updates;

namespace EdgeDm.Cli;

/// <summary>Makes a root key and a signing key.</summary>
internal static class UpdateKeygenHandler
{
    public const string RootKeyFile = "root.key.pem";
    public const string RootJwkFile = "root.jwk.json";
    public const string SigningKeyFile = "signing.key.pem";
    public const string SjwkFile = "signing.sjwk";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode EverybodyReads = OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public static async Task<int> RunAsync(
        UpdateKeygenOptions options,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        var paths = new[] { RootKeyFile, RootJwkFile, SigningKeyFile, SjwkFile }
            .Select(name => Path.Combine(options.Folder, name))
            .ToArray();
        if (paths.FirstOrDefault(File.Exists) is { } taken)
        {
            throw new CliException(
                ExitCodes.Failed,
                $"'{taken}' exists. Keys are never overwritten: choose another folder, or move the old keys away first."
            );
        }
        var passphrase = options.NoPassphrase ? null : Passphrase.ForNewKey(context);
        using var root = RootKey.Generate();
        using var signing = SigningKey.Generate(root);
        CreateFolder(options.Folder);
        await WriteNewAsync(paths[0], root.ToPem(passphrase), OwnerOnly, cancellationToken);
        await WriteNewAsync(paths[1], root.PublicJwk + "\n", EverybodyReads, cancellationToken);
        await WriteNewAsync(paths[2], signing.ToPem(passphrase), OwnerOnly, cancellationToken);
        await WriteNewAsync(paths[3], signing.Sjwk + "\n", EverybodyReads, cancellationToken);
        context.Terminal.Result(
            () =>
                new JsonObject
                {
                    ["rootKeyId"] = root.KeyId,
                    ["rootFingerprint"] = root.Fingerprint,
                    ["signingKeyId"] = signing.KeyId,
                    ["signingFingerprint"] = signing.Fingerprint,
                    ["folder"] = Path.GetFullPath(options.Folder),
                },
            terminal =>
            {
                terminal.Say($"root key     {root.KeyId}   {paths[0]} (private), {paths[1]} (trust this on gateways)");
                terminal.Say($"signing key  {signing.KeyId}   {paths[2]} (private), {paths[3]}");
                if (passphrase is null)
                {
                    terminal.Say("The private keys are not encrypted.");
                }
            }
        );
        return ExitCodes.Done;
    }

    private static void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
        }
    }

    private static async Task WriteNewAsync(
        string path,
        string content,
        UnixFileMode mode,
        CancellationToken cancellationToken
    )
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = mode;
        }
        await using var file = new StreamWriter(path, options);
        await file.WriteAsync(content.AsMemory(), cancellationToken);
    }
}

/// <summary>What was asked for.</summary>
/// <param name="Folder">Where to put the keys.</param>
/// <param name="NoPassphrase">Write them unencrypted.</param>
internal sealed record UpdateKeygenOptions(string Folder, bool NoPassphrase);
