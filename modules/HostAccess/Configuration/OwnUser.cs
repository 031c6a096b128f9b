using System.Runtime.InteropServices;

namespace EdgeDm.HostAccess.Configuration;

/// <summary>The user that HostAccess runs as.</summary>
internal static partial class OwnUser
{
    /// <summary>Effective user id.</summary>
    public static uint Id => GetEffectiveUserId();

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUserId();
}
