namespace EdgeDm.ModuleHost;

/// <summary>
/// What goes of messages that say newer things about the same (a series) when they wait for too long. The rule: when a series
/// holds more than its most, every second message of its older half goes, and the newer half stays whole. Done again and again, what
/// is left is dense where it is new and thinner by half with each age; the very first and the newest message always stay. Order decides,
/// not the clock, so setting the clock loses nothing.
/// </summary>
internal static class Thinning
{
    /// <summary>Places of the messages that go, counted from the oldest.</summary>
    /// <param name="count">Messages of the series.</param>
    public static IEnumerable<int> Gone(int count)
    {
        for (var place = 1; place < count / 2; place += 2)
        {
            yield return place;
        }
    }
}
