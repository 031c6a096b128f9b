namespace EdgeDm.Containers.Tests;

/// <summary>A shell in one file without libraries, for scripts in an image that has none (Debian: busybox-static).</summary>
internal static class Busybox
{
    /// <summary>Where it is.</summary>
    public static string Path =>
        Environment.GetEnvironmentVariable("EDGEDM_TEST_BUSYBOX") is { Length: > 0 } given ? given : "/bin/busybox";
}
