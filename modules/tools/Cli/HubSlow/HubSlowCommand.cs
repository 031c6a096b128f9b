using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm hub slow</c>.</summary>
internal static class HubSlowCommand
{
    public static Command Create()
    {
        var latency = DurationText.Option(
            "--latency",
            "How much later what is under way is read, and sent, by the hub: a round trip takes this twice. At most 1m."
        );
        var rate = new Option<int?>("--rate")
        {
            Description = "Most bytes per second each way, 100 or more.",
            HelpName = "bytes",
        };
        var command = new Command(
            "slow",
            """
            Slows down what passes between the dev hub and modules on purpose. Takes --latency, --rate or both.

            Example: edgedm hub slow --latency 800ms --rate 2000
            """
        )
        {
            latency,
            rate,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(latency) is null && result.GetResult(rate) is null)
            {
                result.AddError("Say how slow: --latency, --rate or both.");
            }
        });
        return FaultOptions
            .AddTo(command)
            .Runs(
                "slow",
                (result, asked) =>
                {
                    if (result.GetValue(latency) is { } time)
                    {
                        asked["latencyMilliseconds"] = (int)time.TotalMilliseconds;
                    }
                    if (result.GetValue(rate) is { } bytesPerSecond)
                    {
                        asked["bytesPerSecond"] = bytesPerSecond;
                    }
                }
            );
    }
}
