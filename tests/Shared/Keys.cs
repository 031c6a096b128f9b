using EdgeDm.Updates;

namespace EdgeDm.Testing;

/// <summary>Keys for all tests of a program: making one takes a second of a core.</summary>
internal static class Keys
{
    private static readonly Lazy<(RootKey Root, SigningKey Signing)> Trusted = new(Make);
    private static readonly Lazy<(RootKey Root, SigningKey Signing)> Foreign = new(Make);

    /// <summary>The root that the gateways under test trust.</summary>
    public static RootKey Root => Trusted.Value.Root;

    public static SigningKey Signing => Trusted.Value.Signing;

    /// <summary>A root that no gateway under test trusts at first.</summary>
    public static RootKey ForeignRoot => Foreign.Value.Root;

    /// <summary>Issued by a root that nobody trusts.</summary>
    public static SigningKey Unknown => Foreign.Value.Signing;

    private static (RootKey Root, SigningKey Signing) Make()
    {
        var root = RootKey.Generate();
        return (root, SigningKey.Generate(root));
    }
}
