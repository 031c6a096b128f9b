using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm method</c>.</summary>
internal static class MethodCommand
{
    // IoT Hub's own bounds.
    private const int ShortestTimeout = 5;
    private const int LongestTimeout = 300;
    private const int DefaultTimeout = 30;

    public static Command Create()
    {
        var name = new Argument<string>("name") { Description = "The method, for example StartRebootCmd." };
        var payload = new Argument<string?>("payload")
        {
            Description = $"JSON: {InputText.Forms}. [default: null]",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var timeout = new Option<int>("--timeout")
        {
            Description = $"Seconds that the method may take, {ShortestTimeout} to {LongestTimeout}.",
            HelpName = "seconds",
            DefaultValueFactory = _ => DefaultTimeout,
        };
        timeout.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < ShortestTimeout or > LongestTimeout)
            {
                result.AddError($"--timeout must be from {ShortestTimeout} to {LongestTimeout}.");
            }
        });
        var command = new Command(
            "method",
            """
            Calls a direct method and writes its answer as JSON.

            The exit code is 0 when the method's status is 2xx, else 1.
            """
        )
        {
            name,
            payload,
            timeout,
        };
        var hub = HubOptions.AddTo(command, hasModule: true);
        return command.Runs(
            async (result, context, cancellationToken) =>
            {
                using var target = hub.Open(result, context);
                return await MethodHandler.RunAsync(
                    new(
                        result.GetRequiredValue(name),
                        result.GetValue(payload),
                        TimeSpan.FromSeconds(result.GetValue(timeout))
                    ),
                    target,
                    context,
                    cancellationToken
                );
            }
        );
    }
}
