namespace EdgeDm.EndToEnd.Tests.Kills;

/// <summary>Chooses what is killed, and when.</summary>
internal static class KillSeed
{
    /// <summary>Of <c>EDGEDM_KILL_SEED</c>, which <c>scripts/test</c> sets and prints; else 1.</summary>
    public static int Given =>
        int.TryParse(Environment.GetEnvironmentVariable("EDGEDM_KILL_SEED"), out var given) ? given : 1;
}
