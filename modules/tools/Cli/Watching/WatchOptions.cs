using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The options of every command that can watch.</summary>
internal sealed class WatchOptions
{
    private const double ShortestInterval = 0.1;

    private readonly Option<double> interval = Seconds("--interval", 2, ShortestInterval, "Seconds between two looks.");

    private readonly Option<double> timeout = Seconds(
        "--timeout",
        3600,
        1,
        "Seconds for the job to end; then exit code 4."
    );

    private readonly Option<double> away = Seconds(
        "--away",
        600,
        0,
        "Seconds that hub or gateway may be away, for a restart; then exit code 3 or 4."
    );

    private readonly Option<bool> plain = new("--plain")
    {
        Description = "Lines instead of a progress bar, as when the output is no terminal.",
    };

    public static WatchOptions AddTo(Command command)
    {
        var options = new WatchOptions();
        command.Options.Add(options.interval);
        command.Options.Add(options.timeout);
        command.Options.Add(options.away);
        command.Options.Add(options.plain);
        return options;
    }

    public WatchSettings Read(ParseResult result) =>
        new(
            new(
                TimeSpan.FromSeconds(result.GetValue(interval)),
                TimeSpan.FromSeconds(result.GetValue(timeout)),
                TimeSpan.FromSeconds(result.GetValue(away))
            ),
            result.GetValue(plain)
        );

    private static Option<double> Seconds(string name, double otherwise, double least, string description)
    {
        const double Most = 86_400;
        var option = new Option<double>(name)
        {
            Description = description,
            HelpName = "seconds",
            DefaultValueFactory = _ => otherwise,
        };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is var value && !(value >= least && value <= Most))
            {
                result.AddError($"{name} must be from {least} to {Most}.");
            }
        });
        return option;
    }
}

/// <summary>How to watch.</summary>
/// <param name="Limits">How long.</param>
/// <param name="Plain">Lines even on a terminal.</param>
internal sealed record WatchSettings(WatchLimits Limits, bool Plain);
