using System.Text.Json.Nodes;
using EdgeDm.Updates;

namespace EdgeDm.Cli;

/// <summary>Makes a signing key, and a root key for it unless there is one.</summary>
internal static class UpdateKeygenHandler
{
    public const string PrivateRootFile = "root.key.pem";
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
        var isNewRoot = options.RootKey is null;
        string[] names = isNewRoot
            ? [PrivateRootFile, RootJwkFile, SigningKeyFile, SjwkFile]
            : [SigningKeyFile, SjwkFile];
        if (names.Select(PathOf).FirstOrDefault(File.Exists) is { } taken)
        {
            throw new CliException(
                ExitCodes.Failed,
                $"'{taken}' exists. Keys are never overwritten: choose another folder, or move the old keys away first."
            );
        }
        using var root = options.RootKey is { } file
            ? await RootKeyFile.OpenAsync(file, context, cancellationToken)
            : RootKey.Generate();
        var passphrase = options.NoPassphrase ? null : Passphrase.ForNewKey(context);
        using var signing = SigningKey.Generate(root);
        CreateFolder(options.Folder);
        if (isNewRoot)
        {
            await WriteNewAsync(PathOf(PrivateRootFile), root.ToPem(passphrase), OwnerOnly, cancellationToken);
            await WriteNewAsync(PathOf(RootJwkFile), root.PublicJwk + "\n", EverybodyReads, cancellationToken);
        }
        await WriteNewAsync(PathOf(SigningKeyFile), signing.ToPem(passphrase), OwnerOnly, cancellationToken);
        await WriteNewAsync(PathOf(SjwkFile), signing.Sjwk + "\n", EverybodyReads, cancellationToken);
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
                var rootFiles = isNewRoot
                    ? $"{PathOf(PrivateRootFile)} (private), {PathOf(RootJwkFile)} (trust this on gateways)"
                    : options.RootKey;
                terminal.Say($"root key     {root.KeyId}   {rootFiles}");
                terminal.Say($"signing key  {signing.KeyId}   {PathOf(SigningKeyFile)} (private), {PathOf(SjwkFile)}");
                if (passphrase is null)
                {
                    terminal.Say("The private keys are not encrypted.");
                }
            }
        );
        return ExitCodes.Done;

        string PathOf(string name) => Path.Combine(options.Folder, name);
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
/// <param name="RootKey">The private key's file of the root that issues the signing key; null = a new root.</param>
/// <param name="NoPassphrase">Write them unencrypted.</param>
internal sealed record UpdateKeygenOptions(string Folder, string? RootKey, bool NoPassphrase);
