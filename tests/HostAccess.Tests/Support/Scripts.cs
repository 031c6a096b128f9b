namespace EdgeDm.HostAccess.Tests.Support;

/// <summary>Scripts of update makers, for apiVersion 1.1.</summary>
internal static class Scripts
{
    /// <summary>
    /// A script that notes each call in <c>calls</c> beneath the host's root and succeeds. <paramref name="install"/> runs in the
    /// action install and may set <c>code</c>.
    /// </summary>
    public static string Make(
        string install = ":",
        string apply = ":",
        string isInstalled = ":",
        string download = ":"
    ) =>
        $$"""
            #!/bin/sh
            all="$*"
            while [ $# -gt 0 ]; do
              case "$1" in
                --action) action=$2; shift ;;
                --result-file) result=$2; shift ;;
                --work-folder) work=$2; shift ;;
                --installed-criteria) criteria=$2; shift ;;
              esac
              shift
            done
            echo "$action" >> "$EDGEDM_SIMULATED_ROOT/calls"
            echo "$all" >> "$EDGEDM_SIMULATED_ROOT/arguments"
            case "$action" in
              is-installed) code=901
                {{isInstalled}} ;;
              download) code=500
                {{download}} ;;
              install) code=600
                {{install}} ;;
              apply) code=700
                {{apply}} ;;
            esac
            printf '{"resultCode":%d,"extendedResultCode":0,"resultDetails":"%s done"}' "$code" "$action" > "$result"
            """.ReplaceLineEndings("\n");
}
