using System.Globalization;

namespace EdgeDm.EndToEnd.Tests.Kills;

/// <summary>Who is killed, and when.</summary>
/// <param name="Victims">A module, or <see cref="Everything"/>: the hub and all modules, as the power goes.</param>
/// <param name="Moment"><c>Module/point#n</c>: at the n-th passage of a failpoint; or <c>t%</c> of an undisturbed update's duration.</param>
internal sealed record KillCase(string Victims, string Moment)
{
    public const string Everything = "everything";

    /// <summary>The module and the failpoint, or null for a moment by the clock.</summary>
    public (string Module, string Point, int Passage)? Failpoint
    {
        get
        {
            var slash = Moment.IndexOf('/', StringComparison.Ordinal);
            var hash = Moment.IndexOf('#', StringComparison.Ordinal);
            return slash < 0
                ? null
                : (
                    Moment[..slash],
                    Moment[(slash + 1)..hash],
                    int.Parse(Moment[(hash + 1)..], CultureInfo.InvariantCulture)
                );
        }
    }

    /// <summary>The part of the duration, 0 to 1.</summary>
    public double Part => double.Parse(Moment.TrimEnd('%'), CultureInfo.InvariantCulture) / 100;

    /// <summary>
    /// What dies is the runner that plays the host's service manager, and with it the step. Whether the step's work was done is not
    /// known then, and it may not be done twice: the update may end as failed and undone.
    /// </summary>
    public bool MayFail =>
        Failpoint is { } f
        && f.Point.StartsWith("host.unit.", StringComparison.Ordinal)
        && !f.Point.StartsWith("host.unit.spec.", StringComparison.Ordinal);

    public override string ToString() => $"{Victims} at {Moment}";

    /// <summary>At every failpoint its own process, and everything.</summary>
    public static IEnumerable<KillCase> AtFailpoints(IEnumerable<(string Module, string Point, int Passage)> points) =>
        points.SelectMany(p =>
            new[] { p.Module, Everything }.Select(victims => new KillCase(victims, $"{p.Module}/{p.Point}#{p.Passage}"))
        );

    /// <summary>DeviceManagement, FirmwareDownload, HostAccess and everything, each at so many moments.</summary>
    public static IEnumerable<KillCase> AtMoments(int count, Random random) =>
        from victims in (string[])["DeviceManagement", "FirmwareDownload", "HostAccess", Everything]
        from _ in Enumerable.Range(0, count)
        select new KillCase(victims, $"{random.Next(1, 100)}%");
}
