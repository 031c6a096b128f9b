namespace EdgeDm.Cli;

/// <summary>How a watched job is shown. Told at every look; shows what changed.</summary>
internal interface IWatchView
{
    /// <summary>Runs the watching while the view is up.</summary>
    Task<WatchState> RunAsync(Func<Task<WatchState>> watch) => watch();

    /// <summary>The job's state.</summary>
    void Show(WatchState state);

    /// <summary>The gateway has not taken up the deployment yet.</summary>
    void Waiting();

    /// <summary>Hub or gateway cannot be reached, as may be in the middle of an update.</summary>
    void Away(string reason);

    /// <summary>It can be reached again.</summary>
    void Back();
}
