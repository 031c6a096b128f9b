namespace EdgeDm.EndToEnd.Tests.ClearEnds;

/// <summary>Update scripts that end badly when they install. Each calls itself not installed and its download good first.</summary>
internal static class Scripts
{
    public const string ExitsWith7 = Preamble + "exit 7";

    public const string WritesNoResult = Preamble + "exit 0";

    public const string WritesNoJson = Preamble + """echo 'all went well' >"$result" """;

    public const string RunsForEver = Preamble + "while :; do sleep 1000; done";

    /// <summary>Its child has a session, a parent and an output of its own: only its descent gives it away.</summary>
    public const string Daemonizes =
        Preamble
        + """
            (setsid sh -c 'setsid sleep 1000 & setsid sh -c "while :; do sleep 1000; done" &' </dev/null >/dev/null 2>&1 &)
            exit 7
            """;

    /// <summary>Its child keeps the script's output open.</summary>
    public const string DaemonizesWithItsOutput = Preamble + "setsid sleep 1000 &\nexit 7";

    /// <summary>Daemonizes and runs on, so that both must be ended by the time limit.</summary>
    public const string DaemonizesAndRunsForEver = Preamble + "(setsid sleep 1000 &)\nsleep 1000";

    /// <summary>Succeeds, and leaves a daemon.</summary>
    public const string SucceedsAndLeavesADaemon =
        Preamble
        + """
            (setsid sleep 1000 &)
            printf '{"resultCode":600,"extendedResultCode":0,"resultDetails":""}' >"$result"
            """;

    private const string Preamble = """
        #!/bin/sh
        while [ $# -gt 0 ]; do
          case $1 in
            --action-*) action=${1#--action-} ;;
            --result-file) shift; result=$1 ;;
          esac
          shift
        done
        case $action in
          is-installed) code=901 ;;
          download) code=500 ;;
          apply) code=700 ;;
        esac
        if [ "$action" != install ]; then
          printf '{"resultCode":%d,"extendedResultCode":0,"resultDetails":""}' $code >"$result"
          exit 0
        fi

        """;
}
