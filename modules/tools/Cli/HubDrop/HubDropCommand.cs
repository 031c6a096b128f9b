using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm hub drop</c>.</summary>
internal static class HubDropCommand
{
    public static Command Create()
    {
        var what = new Argument<string>("what")
        {
            Description =
                "acks: the hub's acknowledgements of what modules send, which then send it again. client-acks: modules' acknowledgements of messages, which the hub then sends again. messages: to inputs and devices; the hub sends them again. twin-answers, desired-patches, method-calls: these.",
        };
        what.AcceptOnlyFromAmong("acks", "client-acks", "messages", "twin-answers", "desired-patches", "method-calls");
        var next = new Option<int?>("--next") { Description = "The next so many.", HelpName = "n" };
        var share = new Option<double?>("--share")
        {
            Description = "This share of all, above 0 and at most 1, at random.",
            HelpName = "part",
        };
        var seed = new Option<int?>("--seed")
        {
            Description =
                "Chooses them: the same seed, the same choice for each module. It is printed. [default: random]",
            HelpName = "n",
        };
        var command = new Command(
            "drop",
            """
            Drops packets between the dev hub and modules on purpose, so that something comes twice, or no answer. Takes --next or
            --share. A message that was acknowledged is not lost.

            Example: edgedm hub drop acks --module Telemetry --share 0.2 --seed 7
            """
        )
        {
            what,
            next,
            share,
            seed,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(next) is null == result.GetResult(share) is null)
            {
                result.AddError("Say how many: either --next or --share.");
            }
        });
        return FaultOptions
            .AddTo(command)
            .Runs(
                "drop",
                (result, asked) =>
                {
                    asked["what"] = result.GetRequiredValue(what);
                    asked["next"] = result.GetValue(next);
                    asked["share"] = result.GetValue(share);
                    asked["seed"] = result.GetValue(seed);
                }
            );
    }
}
