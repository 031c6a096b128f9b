using EdgeDm.Updates;

namespace EdgeDm.Cli;

/// <summary>A private root key's file.</summary>
internal static class RootKeyFile
{
    /// <summary>Reads it, with a passphrase where it needs one.</summary>
    public static async Task<RootKey> OpenAsync(string file, CliContext context, CancellationToken cancellationToken)
    {
        var pem = await File.ReadAllTextAsync(file, cancellationToken);
        return RootKey.FromPem(pem, Passphrase.ForKey(context, pem, file));
    }
}
