using System.CommandLine;
using System.Net;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm serve</c>.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("folder") { Description = "Folder whose files are served." };
        var address = new Option<string>("--address")
        {
            Description = "Address to listen at.",
            HelpName = "address",
            DefaultValueFactory = _ => IPAddress.Loopback.ToString(),
        };
        var port = new Option<int>("--port") { Description = "Port; 0 = any free one.", HelpName = "port" };
        var rate = new Option<long>("--rate")
        {
            Description = "Bytes per second over all requests together; 0 = as fast as it goes.",
            HelpName = "bytes",
        };
        var urlFile = new Option<string?>("--url-file")
        {
            Description = "File to write the base address to, once it is served.",
            HelpName = "file",
        };
        var countFile = new Option<string?>("--count-file")
        {
            Description = "File to write the number of bytes sent to, four times a second and at the end.",
            HelpName = "file",
        };
        var stopOnStdinClose = new Option<bool>("--stop-on-stdin-close")
        {
            Description = "Stop when standard input ends: with the script that started this.",
        };
        return new Command(
            "serve",
            """
            Serves a folder over HTTP, with ranges and entity tags, for trying updates without a file host.

            Runs until interrupted. Files only, no listing; nothing outside the folder. Not for production: no TLS, no access
            control.
            """
        )
        {
            folder,
            address,
            port,
            rate,
            urlFile,
            countFile,
            stopOnStdinClose,
        }.Runs(
            (result, context, cancellationToken) =>
                ServeHandler.RunAsync(
                    new(
                        result.GetRequiredValue(folder),
                        result.GetRequiredValue(address),
                        result.GetValue(port),
                        result.GetValue(rate),
                        result.GetValue(urlFile),
                        result.GetValue(countFile),
                        result.GetValue(stopOnStdinClose)
                    ),
                    context,
                    cancellationToken
                )
        );
    }
}
