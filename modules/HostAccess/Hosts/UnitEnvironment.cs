namespace EdgeDm.HostAccess.Hosts;

/// <summary>A unit's environment: what systemd gives a service, and what the host adds. Nothing of HostAccess's own leaks into it.</summary>
internal static class UnitEnvironment
{
    public static IReadOnlyDictionary<string, string> For(IHost host)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ["LANG"] = "C.UTF-8",
            ["HOME"] = "/root",
        };
        foreach (var (name, value) in host.UnitEnvironment)
        {
            environment[name] = value;
        }
        return environment;
    }
}
