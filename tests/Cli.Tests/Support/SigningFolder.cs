using EdgeDm.Updates;

namespace EdgeDm.Cli.Tests;

/// <summary>Keys, made once (making them is slow), and an update's source folder.</summary>
public sealed class SigningFolder : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public SigningFolder()
    {
        using var root = RootKey.Generate();
        using var signing = SigningKey.Generate(root);
        folder.Write("keys/root.jwk.json", root.PublicJwk);
        folder.Write("keys/signing.key.pem", signing.ToPem(null));
        folder.Write("keys/encrypted.key.pem", signing.ToPem("correct horse"));
        folder.Write("keys/signing.sjwk", signing.Sjwk);
        folder.Write("source/install.sh", "#!/bin/sh\n");
        folder.Write("source/image.bin", new string('x', 100_000));
    }

    public string Source => folder["source"];

    public string Root => folder["keys/root.jwk.json"];

    public string Key => folder["keys/signing.key.pem"];

    public string EncryptedKey => folder["keys/encrypted.key.pem"];

    public string Sjwk => folder["keys/signing.sjwk"];

    /// <summary>Arguments of <c>update create</c> up to the steps.</summary>
    public string[] Create(string target, string? source = null, string? key = null) =>
        [
            "update",
            "create",
            source ?? Source,
            "--provider",
            "Contoso",
            "--name",
            "Gateway",
            "--version",
            "2.0.0",
            "--manufacturer",
            "Contoso",
            "--model",
            "Gateway",
            "--signing-key",
            key ?? Key,
            "--sjwk",
            Sjwk,
            "--out",
            target,
        ];

    /// <summary>Publishes an update.</summary>
    internal async Task PublishAsync(string target, params string[] more) =>
        (await EdgeDmProcess.RunAsync([.. Create(target), "--script", "install.sh", .. more])).ShouldExitWith(0);

    public void Dispose() => folder.Dispose();
}
