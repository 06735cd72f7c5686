import Foundation
import PackagePlugin

/// Makes the text of every listing and fixture in a target's folder part of the target, so that an installed tool needs no other
/// file.
@main
struct EmbedImages: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    guard let target = target as? SourceModuleTarget else { return [] }
    let files = target.sourceFiles.map(\.url).filter { ["listing", "yaml"].contains($0.pathExtension) }
    let output = context.pluginWorkDirectoryURL.appending(path: "BuiltInFiles.swift")
    return [
      .buildCommand(
        displayName: "Embedding images", executable: try context.tool(named: "Embedder").url,
        arguments: [output.path] + files.map(\.path), inputFiles: files, outputFiles: [output])
    ]
  }
}
