using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm update create</c>.</summary>
internal static class UpdateCreateCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("folder") { Description = "Folder with the update's files; no subfolders." };
        var provider = Required("--provider", "name", "Who makes the update, for example Contoso.");
        var name = Required("--name", "name", "What is updated, for example Gateway.");
        var version = Required("--version", "version", "Its version, dotted whole numbers, for example 2.0.0.");
        var manufacturer = Required("--manufacturer", "name", "Manufacturer of the gateways that it fits.");
        var model = Required("--model", "name", "Model of the gateways that it fits.");
        var signingKey = Required("--signing-key", "file", "Private signing key (signing.key.pem).");
        var sjwk = Required("--sjwk", "file", "The root's word for the signing key (signing.sjwk).");
        var target = Required(
            "--out",
            "path",
            "Folder to publish into, new or empty; with --bundle the bundle's file, or a folder to put it into."
        );
        var bundle = new Option<bool>("--bundle")
        {
            Description =
                "Make one .edgedm.tar file instead of a folder, for packageUri and for gateways that are offline.",
        };
        var script = Optional("--script", "file", "File of the folder that the one step microsoft/script:1 runs.");
        var arguments = Optional("--arguments", "text", "Arguments of the script, split at spaces.");
        var steps = Optional(
            "--steps",
            "file",
            "Instead of --script: a JSON array of {handler, files, handlerProperties, description}; files [\"*\"] = all."
        );
        return new Command(
            "create",
            """
            Makes a signed update from a folder of files: a manifest of Device Update's format, version 5.

            Publishes update.manifest.json, update.manifest.jws and copies of the files into --out, to be served by any HTTP
            server that knows ranges. A manifest above 4,000 bytes is detached: the signed stub takes its place and names
            the file that carries it.
            """
        )
        {
            folder,
            provider,
            name,
            version,
            manufacturer,
            model,
            signingKey,
            sjwk,
            target,
            bundle,
            script,
            arguments,
            steps,
        }.Runs(
            (result, context, cancellationToken) =>
                UpdateCreateHandler.RunAsync(
                    new(
                        result.GetRequiredValue(folder),
                        result.GetRequiredValue(provider),
                        result.GetRequiredValue(name),
                        result.GetRequiredValue(version),
                        result.GetRequiredValue(manufacturer),
                        result.GetRequiredValue(model),
                        result.GetRequiredValue(signingKey),
                        result.GetRequiredValue(sjwk),
                        result.GetRequiredValue(target),
                        result.GetValue(bundle),
                        result.GetValue(script),
                        result.GetValue(arguments),
                        result.GetValue(steps)
                    ),
                    context,
                    cancellationToken
                )
        );
    }

    private static Option<string> Required(string name, string helpName, string description) =>
        new(name)
        {
            Description = description,
            HelpName = helpName,
            Required = true,
        };

    private static Option<string?> Optional(string name, string helpName, string description) =>
        new(name) { Description = description, HelpName = helpName };
}
