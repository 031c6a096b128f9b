namespace EdgeDm.HostAccess.Hosts;

/// <summary>A unit's environment: what systemd gives a service, and what the host adds. Nothing of HostAccess's own leaks into it.</summary>
internal static class UnitEnvironment
{
    /// <param name="host">What it adds comes last.</param>
    /// <param name="own">What the unit itself wants; null = nothing.</param>
    public static IReadOnlyDictionary<string, string> For(IHost host, IReadOnlyDictionary<string, string>? own = null)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ["LANG"] = "C.UTF-8",
            ["HOME"] = "/root",
        };
        foreach (var (name, value) in (own ?? new Dictionary<string, string>()).Concat(host.UnitEnvironment))
        {
            environment[name] = value;
        }
        return environment;
    }
}
