using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm twin show</c>.</summary>
internal static class TwinShowCommand
{
    public static Command Create()
    {
        var path = new Argument<string?>("path")
        {
            Description = "Part to show, for example reported.firmwareUpdate. [default: desired and reported]",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var metadata = new Option<bool>("--metadata") { Description = "Show $metadata, too." };
        var command = new Command("show", "Shows a module's twin as JSON.") { path, metadata };
        var hub = HubOptions.AddTo(command, hasModule: true);
        return command.Runs(
            async (result, context, cancellationToken) =>
            {
                using var target = hub.Open(result, context);
                return await TwinShowHandler.RunAsync(
                    new(result.GetValue(path), result.GetValue(metadata)),
                    target,
                    context,
                    cancellationToken
                );
            }
        );
    }
}
