namespace EdgeDm.Benchmarks.Footprint;

/// <summary>One process over one idle period.</summary>
/// <param name="Name">Its member's name.</param>
/// <param name="ResidentBytes">At the end of the period.</param>
/// <param name="ProportionalBytes">At the end of the period.</param>
/// <param name="ProcessorShare">Of one core, over the period; 1 = all of it.</param>
/// <param name="WrittenBytesPerDay">Those of the period, scaled.</param>
/// <param name="StartToReady">From the process's start to its line that says it is ready.</param>
internal sealed record Measurement(
    string Name,
    long ResidentBytes,
    long ProportionalBytes,
    double ProcessorShare,
    double WrittenBytesPerDay,
    TimeSpan StartToReady
)
{
    /// <summary>What a start leaves to be done (first reports, compiling what was used) is over by then, and is not idle work.</summary>
    public static readonly TimeSpan Settle = TimeSpan.FromSeconds(10);

    /// <summary>Lets all settle, then measures them over the same period.</summary>
    /// <exception cref="BenchException">One of them ended.</exception>
    public static async Task<IReadOnlyList<Measurement>> TakeAsync(
        ProcessFamily family,
        TimeSpan idle,
        CancellationToken cancellationToken
    )
    {
        await family.StayAsync(Settle, cancellationToken);
        var clock = TimeProvider.System.GetTimestamp();
        var before = Samples();
        await family.StayAsync(idle, cancellationToken);
        var after = Samples();
        var period = TimeProvider.System.GetElapsedTime(clock);
        return [.. family.Members.Select((member, i) => Between(member, before[i], after[i], period))];

        ProcessSample[] Samples() => [.. family.Members.Select(member => ProcessSample.Read(member.ProcessId))];
    }

    private static Measurement Between(Member member, ProcessSample before, ProcessSample after, TimeSpan period) =>
        new(
            member.Name,
            after.ResidentBytes,
            after.ProportionalBytes,
            (after.Processor - before.Processor) / period,
            (after.WrittenBytes - before.WrittenBytes) * (TimeSpan.FromDays(1) / period),
            member.StartToReady
        );
}
