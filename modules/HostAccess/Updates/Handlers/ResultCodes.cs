namespace EdgeDm.HostAccess.Updates.Handlers;

/// <summary>Device Update's result codes, as far as they decide anything here (update_content.h of its agent).</summary>
internal static class ResultCodes
{
    public const int Failure = 0;
    public const int Cancelled = -1;
    public const int Success = 1;

    public const int DownloadSuccess = 500;
    public const int DownloadAlreadyInstalled = 503;

    public const int InstallSuccess = 600;
    public const int InstallAlreadyInstalled = 603;
    public const int InstallRebootNow = 605;
    public const int InstallRebootLater = 606;
    public const int InstallRestartAgentNow = 607;
    public const int InstallRestartAgentLater = 608;

    public const int ApplySuccess = 700;
    public const int ApplyRebootNow = 705;
    public const int ApplyRebootLater = 706;
    public const int ApplyRestartAgentNow = 707;
    public const int ApplyRestartAgentLater = 708;

    public const int Installed = 900;
    public const int NotInstalled = 901;

    /// <summary>Above 0 is success.</summary>
    public static bool IsSuccess(int code) => code > 0;

    /// <summary>
    /// The host must reboot before anything else of the update. A script that asks for a restart of its agent gets a reboot, too: here
    /// the agent is a deployment of several programs, and a reboot restarts whatever the script may mean.
    /// </summary>
    public static bool WantsRebootNow(int code) =>
        code is InstallRebootNow or InstallRestartAgentNow or ApplyRebootNow or ApplyRestartAgentNow;

    /// <summary>The host must reboot when the other steps are done.</summary>
    public static bool WantsRebootLater(int code) =>
        code is InstallRebootLater or InstallRestartAgentLater or ApplyRebootLater or ApplyRestartAgentLater;

    /// <summary>There is nothing (more) to do for the step.</summary>
    public static bool IsInstalled(int code) =>
        code is Installed or DownloadAlreadyInstalled or InstallAlreadyInstalled;
}
