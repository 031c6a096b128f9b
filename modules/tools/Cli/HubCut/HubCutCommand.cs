using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm hub cut</c>.</summary>
internal static class HubCutCommand
{
    public static Command Create()
    {
        var silent = new Option<bool>("--silent")
        {
            Description = "Leave sockets open and answer nothing, as behind a pulled cable; else they are reset.",
        };
        var https = new Option<bool>("--https")
        {
            Description = "Cut clients' requests by HTTPS, too. Those of services, like this one, never are.",
        };
        var command = new Command(
            "cut",
            """
            Cuts modules off the dev hub on purpose: closes their connections and lets no new ones in.

            Example: edgedm hub cut --module Telemetry --silent --for 2m
            """
        )
        {
            silent,
            https,
        };
        return FaultOptions
            .AddTo(command)
            .Runs(
                "cut",
                (result, asked) =>
                {
                    asked["silent"] = result.GetValue(silent);
                    asked["https"] = result.GetValue(https);
                }
            );
    }
}
